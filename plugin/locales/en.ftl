### What people read: advice on every cause of an error, and the plugin's options. `build.rs` turns this file and its
### sibling into a Rust table; `src/guidance/causes.rs` says which codes have which cause, and who takes each step.
### Words: `docs/glossary.md`.

## Places in Salesforce, by the labels that people see there

place-lead-fields = Setup > Object Manager > Lead > Fields & Relationships
place-lead-validation-rules = Setup > Object Manager > Lead > Validation Rules
place-lead-triggers = Setup > Object Manager > Lead > Triggers
place-lead-record-types = Setup > Object Manager > Lead > Record Types
place-duplicate-rules = Setup > Quick Find “Duplicate Rules”
place-states-and-countries = Setup > Quick Find “State and Country/Territory Picklists”
place-storage-usage = Setup > Quick Find “Storage Usage”
place-permission-sets = Setup > Quick Find “Permission Sets”
place-users = Setup > Quick Find “Users”
place-oauth-usage = Setup > Quick Find “OAuth” > External Client Apps OAuth Usage
place-app-policies = Setup > Quick Find “External Client App” > External Client App Manager > (the app) > Policies
place-installed-packages = Setup > Quick Find “Installed Packages”
place-network-access = Setup > Quick Find “Network Access”
place-transaction-security = Setup > Quick Find “Transaction Security Policies”
place-login-history = Setup > Quick Find “Login History”
place-company-information = Setup > Quick Find “Company Information”
place-my-domain = Setup > Quick Find “My Domain”
place-encryption-policy = Setup > Quick Find “Encryption Policy”
place-flows = Setup > Quick Find “Flows”
place-assignment-rules = Setup > Quick Find “Assignment Rules” > Lead Assignment Rules
place-recycle-bin = App Launcher > Recycle Bin
place-leads = App Launcher > Leads

## Values that Salesforce does not accept as they are

string-too-long =
    .what = A value is longer than its field in Salesforce.
    .why = Long text is shortened to fit, with a warning. Email addresses, phone numbers, URLs, IDs, and choices are never shortened. The field may also have become shorter since the mapping was saved.
    .step1 = Limit the length of the answer in the form, or map it to a longer field, such as a long text area.
    .step2 = Or make the field longer.

invalid-email-address =
    .what = An email address isn't valid.
    .why = The answer has a typo, or the field is mapped to a question that isn't an email address. Salesforce accepts only ASCII addresses.
    .step1 = Ask the guest for the correct address, and enter the Lead by hand.
    .step2 = Map the field to the guest's email address or to an email question.

number-outside-valid-range =
    .what = An answer doesn't fit a number field.
    .why = It isn't a number, or it has more digits than the field accepts. Extra decimals are rounded, with a warning.
    .step1 = Use a number question, or map the answer to a text field.
    .step2 = Or let the field accept more digits.

number-ambiguous =
    .what = An answer can be read as two numbers.
    .why = In some languages 1.500 is one and a half, in others one thousand five hundred. The language of a guest tells which. If it's unknown, or the mapping has the text, we don't guess: the value is left out.
    .step1 = Enter the number in the Lead by hand.
    .step2 = Use a number question. Write fixed values and fallbacks without separators, such as 1500.

currency-not-carried =
    .what = An amount was saved without its currency.
    .why = The answer names a currency, but no row fills the field for it, and the field for the amount has the org's own.
    .step1 = If the org has several currencies, map the currency to the field “CurrencyIsoCode”. Otherwise ask for amounts in the org's currency.

date-invalid =
    .what = An answer doesn't fit a date or time field.
    .why = Date fields need a date, date/time fields need a date and time with a time zone, and time fields need a time of day.
    .step1 = Use a date question, or map the field to the start or end of the booking.

checkbox-invalid =
    .what = An answer is neither yes nor no.
    .why = The field is a checkbox. It accepts answers such as yes, no, true, false, はい, and いいえ. We don't guess: other answers are left out.
    .step1 = Use a consent question, or a question with the choices yes and no.

invalid-or-null-for-restricted-picklist =
    .what = An answer isn't a value that the picklist accepts.
    .why = The picklist accepts only its active values. The usual reasons: the choice in the form is worded differently, the value was deactivated, or the controlling field or the record type doesn't allow it.
    .step1 = Word the form's choices like the picklist's values or labels.
    .step2 = Or add or activate the value, and allow it for the record type.

picklist-value-ambiguous =
    .what = An answer is like several of the picklist's values.
    .why = The values differ only in what people type differently, such as dashes, quotation marks, or full-width letters, and none of them is exactly the answer. We don't guess: the answer is left out.
    .step1 = Word the form's choices exactly like the picklist's values or labels.
    .step2 = Or rename or deactivate values that look alike.

json-parser-error =
    .what = A value doesn't match its field's data type.
    .why = The question is mapped to a field of another data type, or the data type was changed after the mapping was saved.
    .step1 = Open the mapping, compare it with Salesforce, and choose a question or field that fits.

text-data-outside-supported-charset =
    .what = A text contains characters that Salesforce can't store.
    .why = These are usually invisible control characters from copied text. They are removed, with a warning.
    .step1 = Usually no action is needed. If the Lead is missing, enter it by hand.

invisible-characters-removed =
    .what = Characters that don't belong in a value were removed or replaced.
    .why = Copied text often has invisible characters, such as zero-width spaces or direction marks. They are removed from email addresses, phone numbers, URLs, numbers, dates, IDs, and choices, but not from free text. Full-width letters in an email address become the usual ones.
    .step1 = Usually no action is needed. If the value looks wrong, correct the Lead by hand.

field-integrity-exception =
    .what = Salesforce didn't accept values that belong together, such as state and country.
    .why = With State and Country/Territory Picklists, only the listed names can be saved, and the state must belong to the country.
    .step1 = Offer the listed names as choices in the form, and map the country too. If it's always the same, use a fixed value.
    .step2 = Look up the listed names and give them to the calendar owner, or set a default country.

field-custom-validation-exception =
    .what = A validation rule in Salesforce rejected the Lead.
    .why = This booking doesn't meet a rule set by your Salesforce admin. The message comes from that rule.
    .step1 = Find the rule by its message, and correct it or exempt the connected user.
    .step2 = Or change the form and the mapping so that bookings meet the rule.
    .step3 = Then resend the booking.

field-filter-validation-exception =
    .what = A lookup field can't use the chosen record.
    .why = The record doesn't meet the field's lookup filter.
    .step1 = Choose another record in the mapping.
    .step2 = Or change the filter.

malformed-id =
    .what = A value isn't the ID of a record that can be used here.
    .why = The usual reasons: the ID has a typo, belongs to another org (such as a sandbox) or another object, or was deleted. The connected user may also lack access to the record type or owner.
    .step1 = Open the record in the connected org, and copy the ID again from the page's URL.
    .step2 = Check which object the field refers to, and that the connected user has access.

## Fields that need a value, cannot be written or are gone

required-field-missing =
    .what = A required Salesforce field gets no value.
    .why = No row of the mapping fills it, or it became required after the mapping was saved.
    .step1 = Map the field to a question or a fixed value. Make a question required in the form too.
    .step2 = If Leads don't need it, make the field optional.

required-field-blank =
    .what = A required Salesforce field is blank, or could be.
    .why = The field is required in Salesforce, but the question is optional in the form. Both must be required.
    .step1 = Make the question required, or give the row a fallback.
    .step2 = Or make the field optional in Salesforce.

invalid-field-for-insert-update =
    .what = The connected user can't edit this field.
    .why = Field-level security or the page layout makes it read-only, or Salesforce fills it in automatically. Such fields are not offered in new mappings.
    .step1 = Give the connected user edit access to the field, in a permission set under “Object Settings” > “Leads”.
    .step2 = Or remove the field from the mapping.

invalid-field =
    .what = The connected user can't find a mapped field.
    .why = The usual reasons: the field was deleted, its API name was changed, or field-level security hides it.
    .step1 = Check that the field exists, and make it visible to the connected user under “Set Field-Level Security”.
    .step2 = If it was deleted, remove the row or choose another field.

## Why a field cannot be mapped

not-writable =
    .what = The connected user can't edit this field.
    .why = A field can be mapped if the connected user can both create and change its value.
    .step1 = Give the connected user edit access to the field, in a permission set under “Object Settings” > “Leads”.

calculated =
    .what = Salesforce calculates this field.
    .why = The values of formulas, roll-up summaries, and auto-numbers can't be set.
    .step1 = Map a field that the calculation uses, or another field.

compound =
    .what = This field consists of other fields.
    .why = Salesforce puts it together from its parts, as it does with names and addresses.
    .step1 = Map its parts instead.

system =
    .what = Salesforce maintains this field.
    .why = It shows who created or changed the Lead and when, or how the Lead was converted.
    .step1 = Map another field.

## Problems in a mapping

field-mapped-twice =
    .what = A field gets two values.
    .why = Two rows, or a row and an option, fill this field.
    .step1 = Remove one of the two. An option takes precedence over a row.

fallback-used =
    .what = The row's fallback was used.
    .why = The answer was blank or couldn't be saved.
    .step1 = If this is intended, no action is needed. Otherwise make the question required in the form.

nothing-to-write =
    .what = The booking has no values that can be saved.
    .why = All mapped answers were blank or couldn't be saved.
    .step1 = Map at least the guest's name, company, and email address.

target-unknown =
    .what = The mapping is for records that the integration can't save.
    .why = The integration saves Leads only. The mapping was made for another integration or another version.
    .step1 = Choose “Lead” as what the mapping saves, and save the mapping.

field-not-searchable =
    .what = Salesforce can't search by a field that one of the mapping's options needs.
    .why = The field is encrypted by Shield Platform Encryption with the probabilistic scheme, or is a long text. Existing Leads are looked for by “Email”, and earlier tries by the field for the booking ID.
    .step1 = In the mapping's options, under “If a Lead with the same email address exists”, choose “Create another Lead”. For the booking ID, choose another field or none.
    .step2 = Or encrypt the field with the deterministic scheme, which allows searches for equal text. Then encrypt the existing data again.

email-unmapped =
    .what = Existing Leads can't be found because no row fills the email address.
    .why = The mapping's options ask us to look for existing Leads. We find them by the email address that a row fills. Without it, every booking creates another Lead.
    .step1 = Map the guest's email address to the field “Email”, or choose to create another Lead.

option-invalid =
    .what = An option of the mapping isn't valid.
    .why = The integration doesn't have the chosen option or value.
    .step1 = Open the mapping's options, choose again, and save.
    .step2 = If the settings page offers no valid choice, update the integration.

mapping-too-large =
    .what = The mapping has too many fields to check whether a Lead already exists.
    .why = Before trying again, we look for all mapped fields in one query. Salesforce limits the length of a query.
    .step1 = Map fewer fields.

booking-id-field-unfit =
    .what = This field can't be used for booking IDs.
    .why = It must be a text field that is an external ID and unique (case-sensitive). It must be long enough for the team and booking IDs, and the connected user must be able to edit it.
    .step1 = Create a text field of 255 characters that the connected user can edit. Choose “Do not allow duplicate values”, “Treat "ABC" and "abc" as different values”, and “External ID”.
    .step2 = Choose that field in the mapping's options.

record-type-unavailable =
    .what = The connected user can't use the record type.
    .why = It is inactive, was deleted, or isn't available to the connected user.
    .step1 = Activate it, and make it available to the connected user by profile or permission set.
    .step2 = Or choose another record type in the mapping's options.

invalid-assignment-rule =
    .what = There is a problem with the assignment rule.
    .why = No active Lead assignment rule has this ID, or the rule could replace the owner that the mapping sets.
    .step1 = Check the rule and its ID, and activate it.
    .step2 = In the mapping, choose either the assignment rule or an owner.

## Leads that exist already, or no longer

duplicates-detected =
    .what = A duplicate rule in Salesforce rejected the Lead.
    .why = Salesforce already has a record that it considers the same person. Its ID is shown if the connected user can see it. The guest may have booked before.
    .step1 = Check the matching record. If it's the same person, don't create a Lead; add the booking details there.
    .step2 = In the mapping's options, under “If a duplicate rule matches”, choose what happens.
    .step3 = “Save anyway” works if the rule's action on create is “Allow”. If it is “Block”, change the rule, or exempt the connected user with a condition.

duplicate-value =
    .what = A field that doesn't allow duplicate values has the same value as another record.
    .why = A mapped field is set to “Unique”, or several records have the same external ID. We show the record if Salesforce names it.
    .step1 = Check the record, and correct whichever value is wrong.
    .step2 = Don't map a “Unique” field to a fixed value, or to a question that several guests answer alike.
    .step3 = If duplicate values are fine, change the field's settings.

cannot-update-converted-lead =
    .what = The Lead has been converted and can't be changed.
    .why = A converted Lead continues as a contact, an account, and perhaps an opportunity. The booking's new time was not saved.
    .step1 = Enter the change on the contact or the opportunity by hand.

record-unknown =
    .what = The Lead of a canceled booking can't be found, so nothing was changed.
    .why = The booking was made before the team connected, or it has no Lead. A cancellation never creates one.
    .step1 = If this booking has a Lead, enter the cancellation by hand.
    .step2 = To let us find such Leads in the future, choose a field for the booking ID in the mapping's options.

entity-is-deleted =
    .what = The Lead can't be found.
    .why = It was deleted, was merged into another record, or is no longer shared with the connected user.
    .step1 = If the Lead was deleted by mistake, restore it and tell the team admin.
    .step2 = Then resend the booking, or enter the change by hand.

all-or-none-operation-rolled-back =
    .what = Salesforce undid this step because another one failed.
    .why = The steps of one request are all saved, or none of them is.
    .step1 = Follow the advice on the other error shown with this one.

## What the org, its edition and the user's permissions do not allow

api-disabled-for-org =
    .what = The Salesforce API isn't available to this org or to the connected user.
    .why = Enterprise, Unlimited, Performance, and Developer Edition include the API. Professional Edition needs it as an add-on. The connected user also needs the permission “API Enabled”.
    .step1 = Check “Organization Edition”. If it doesn't include the API, ask Salesforce for the add-on or another edition.
    .step2 = Give the connected user “API Enabled” under System Permissions.

lead-not-readable =
    .what = The connected user doesn't have the Lead permissions it needs.
    .why = The user needs Read, Create, and Edit on Leads. Without any permission, Salesforce says that Leads don't exist. Edit is used for rescheduled bookings and for updating existing Leads.
    .step1 = In a permission set, give the user Read, Create, and Edit on Leads, and read and edit access to the mapped fields. Then tell the team admin.
    .step2 = Then check the connection again.

access-refused =
    .what = The connected user doesn't have permission to do this.
    .why = The user lacks access to the object or the record. For example, the Lead belongs to someone else and isn't shared.
    .step1 = Give the connected user Read, Create, and Edit on Leads. If the user has them, check how Leads are shared under Setup > Quick Find “Sharing Settings”.

insufficient-access-on-cross-reference-entity =
    .what = The Lead refers to a record that the connected user can't use.
    .why = The record named in the message, such as a campaign or an owner, isn't shared with the connected user. Automation in the org may also use it.
    .step1 = If it's a record type, make it available to the connected user in a permission set. Share other records under Setup > Quick Find “Sharing Settings”.
    .step2 = Or choose another record in the mapping.

inactive-owner-or-user =
    .what = The Lead's owner would be an inactive user.
    .why = The owner set by the mapping, an assignment rule, or automation has been deactivated.
    .step1 = Find the user by the ID in the message, and replace them in assignment rules, queues, and flows.
    .step2 = If the mapping sets the owner, choose an active user.

cannot-insert-update-activate-entity =
    .what = Automation in Salesforce stopped the Lead.
    .why = An Apex trigger, a flow, or a package in the org failed while the Lead was being saved. The message names it. If the message says “entity type cannot be inserted”, the user isn't allowed to create Leads.
    .step1 = Correct the flow named in the message, or exempt the connected user's Leads.
    .step2 = If it's a trigger, give the message to the trigger's developer.
    .step3 = Then resend the booking.

txn-security-no-access =
    .what = A security policy of the org blocked the request.
    .why = A transaction security policy applies to the connected user's API use.
    .step1 = Check the policies, and make an exception for the connected user.

txn-security-metering-error =
    .what = The org's transaction security policies took too long to check the request.
    .why = Salesforce stops a request if its policies don't finish in time. This usually passes. Nothing was saved.
    .step1 = No action needed. We'll retry automatically.
    .step2 = If it keeps happening, give the connected user the permission “Exempt from Transaction Security”, or simplify the policies.

request-limit-exceeded =
    .what = The org has used all or nearly all of its API requests.
    .why = Salesforce counts the API requests of all integrations over 24 hours. Bookings are on hold and are sent when requests are available again. A booking takes one or two requests.
    .step1 = Check “API Requests, Last 24 Hours”. Reduce the use by the busiest integrations, or buy more API requests.
    .step2 = No other action is needed. No booking is lost.

storage-limit-exceeded =
    .what = The org's data storage is full.
    .why = Salesforce can't create records until there is free space.
    .step1 = Delete data you don't need or buy data storage, and tell the team admin.
    .step2 = Then resend the bookings.

license-limit-exceeded =
    .what = The org has reached a license limit.
    .why = The license it needs is used up, or the connected user doesn't have it.
    .step1 = Check which licenses are used up, and which ones the connected user has.

api-version-retired =
    .what = The org doesn't offer the API version that the integration uses.
    .why = Salesforce retires old versions after some years. New versions become available when the org is upgraded.
    .step1 = Update the integration to the latest version.

## Connections that are missing or have ended

connection-ended =
    .what = The connection to Salesforce has ended. Bookings are on hold and are sent in order when you reconnect.
    .why = The usual reasons: the authorization was revoked, it wasn't used for a long time (often 30 days), the user connected this app more than five times, or the user was deactivated or frozen.
    .step1 = Reconnect with a user who isn't affected by staff changes, preferably a dedicated one. Your settings are kept.
    .step2 = If it happens again, check the app's “Refresh Token Policy”. Choose “Expire refresh token if not used for specific time” with 30 days, or “Refresh token is valid until revoked” if it is offered.

not-connected =
    .what = The team isn't connected to Salesforce.
    .why = Nobody has connected yet, the team was disconnected, or the stored connection is incomplete.
    .step1 = Connect to Salesforce in the team's integration settings. Bookings on hold are sent afterwards.

session-not-for-api =
    .what = The login to Salesforce works, but its API can't be used.
    .why = The app lacks the OAuth scope “api”, or a policy of the org restricts the connected user's API use. Reconnecting alone doesn't help.
    .step1 = Give the connected user “API Enabled”, and tell the team admin.
    .step2 = Reconnect. If that doesn't help, tell the scheduling provider. The app's OAuth scopes “api” and “refresh_token” need checking.

org-unknown =
    .what = The org is no longer at its saved URL.
    .why = The usual reasons: its My Domain was renamed, the org was moved or deleted, or a sandbox was refreshed.
    .step1 = Look up the org's current My Domain URL, and give it to the team admin.
    .step2 = Disconnect, and connect again at that URL.

already-revoked =
    .what = The connection had already ended.
    .why = The authorization in Salesforce was revoked earlier. We have removed the stored connection too.
    .step1 = No action needed. To use Salesforce again, reconnect.

unsupported-token-type =
    .what = The authorization in Salesforce couldn't be revoked.
    .why = Salesforce doesn't support revoking this type of token.
    .step1 = Revoke the connected user's authorization of this app by hand.
    .step2 = Report the message to the integration's developer.

credential-unavailable =
    .what = A temporary problem kept us from renewing the connection.
    .why = The scheduling service or Salesforce's login service is briefly busy or down. The connection is still valid.
    .step1 = No action needed. We'll retry automatically.
    .step2 = If it lasts longer than an hour, check credential storage and network access to the Salesforce login host.

credential-blocked =
    .what = Salesforce blocks the connection. Bookings are on hold.
    .why = The authorization is still valid, but a policy of the org or of the app currently prevents its use.
    .step1 = Look for the failed login of the connected user, and its reason.
    .step2 = Allow the app and the connected user. Check blocked apps, IP ranges, and login hours, and tell the team admin.

app-attest-failed-retry =
    .what = Salesforce's login service failed.
    .why = This is usually a temporary fault or maintenance at Salesforce.
    .step1 = If you are connecting, start again in a few minutes. If you are already connected, no action is needed. We'll retry automatically.
    .step2 = If it lasts, check the login here. Salesforce's status is at status.salesforce.com.

rate-limit-exceeded =
    .what = This user has logged in too often, so Salesforce is limiting logins for now.
    .why = Salesforce limits a user's logins per hour, counted over all apps.
    .step1 = Wait about an hour.
    .step2 = Find out which app logs in so often with this user, and give each integration its own user.

## The org's policies on apps, and how the app is registered

app-blocked =
    .what = The scheduling service's app is blocked in Salesforce.
    .why = An admin blocked it, or the org blocks all apps that aren't on its list.
    .step1 = Find the app, choose “Unblock”, and tell the team admin.
    .step2 = Then reconnect.

app-not-installed =
    .what = The scheduling service's app isn't installed in this Salesforce org.
    .why = An external client app must be installed from its package before anyone can connect. Connected apps that aren't installed have been blocked too since September 2025, except for users with the permission “Approve Uninstalled Connected Apps”.
    .step1 = Install the scheduling provider's package, and check that it is listed.
    .step2 = Check that the app is in this list and isn't blocked. If “Install” is shown next to it, choose it. Then tell the team admin.
    .step3 = Then reconnect.

app-not-approved =
    .what = This user isn't allowed to use the scheduling service's app.
    .why = “Permitted Users” is set to “Admin approved users are pre-authorized”, and the user's profile or permission set hasn't been added. Or the user hasn't allowed access yet.
    .step1 = Add the user's profile or permission set to the app, and tell the team admin. Or set “Permitted Users” to “All users can self-authorize”.
    .step2 = Then reconnect.

oauth-approval-error-generic =
    .what = Salesforce stopped the authorization without giving a reason.
    .why = The usual reasons: the app isn't installed or allowed, lacks the OAuth scope “refresh_token”, or the user is API-only. API-only users can't log in through a browser.
    .step1 = Look for the failed login and its reason.
    .step2 = Check that the app is installed and not blocked.
    .step3 = Check “Permitted Users”, and tell the team admin the result.
    .step4 = Reconnect. If that doesn't help, tell the scheduling provider. The app's OAuth scopes need checking.

login-restricted =
    .what = Salesforce doesn't accept logins from this IP address or at this time.
    .why = The org, the profile, or the app restricts IP addresses or login hours. The scheduling service's servers are outside them.
    .step1 = Add the fixed IP addresses from which you access Salesforce to the app's “Refresh Token IP Allowlist”, and give them to the Salesforce admin.
    .step2 = Add these addresses to the trusted IP ranges. If the user's profile restricts login IP addresses, add them there too.
    .step3 = If that isn't possible, set “IP Relaxation” for this app only.

my-domain-required =
    .what = Log in at your org's My Domain URL.
    .why = The org doesn't allow the common login pages, or they don't support this type of login.
    .step1 = Look up the My Domain URL, and give it to the team admin.
    .step2 = Reconnect with this URL as the login host.

run-as-user-missing =
    .what = The app has no user to run as.
    .why = This flow needs a “Run As” user.
    .step1 = Enable the client credentials flow, and choose the “Run As” user.

invalid-client-id =
    .what = The consumer key or consumer secret is wrong.
    .why = The usual reasons: the key belongs to another environment, the secret was changed, or the app was created less than 15 minutes ago.
    .step1 = Compare the consumer key and consumer secret with the app's settings in Salesforce. After a change, wait 15 minutes.
    .step2 = Check that you chose production or sandbox correctly, and reconnect.

redirect-uri-mismatch =
    .what = The callback URL isn't registered with the app.
    .why = The callback URL must match a registered one exactly, including a slash at the end.
    .step1 = Register the scheduling service's callback URL with the app, or correct the configured URL.

audience-invalid =
    .what = The app's registration doesn't match the way it logs in.
    .why = A flow, an OAuth scope, or a policy that the scheduling service uses isn't enabled for the app.
    .step1 = Enable the web server flow with PKCE and the OAuth scopes “api” and “refresh_token” for the app. For other flows, follow the message.
    .step2 = Check that the org's policies don't disable this flow.

invalid-session-level =
    .what = A more secure login, such as multi-factor authentication, is required.
    .why = A policy of the org allows API use only with a “High Assurance” session.
    .step1 = Review this requirement in the app's policies, or under Setup > Quick Find “Session Settings”, and tell the team admin.
    .step2 = Reconnect with multi-factor authentication.

## Logins that were not completed, and users who may not log in

access-denied =
    .what = Access was denied in Salesforce.
    .why = Someone chose “Deny” or closed the page.
    .step1 = Connect again and choose “Allow”.

authorization-code-ended =
    .what = Connecting to Salesforce wasn't completed.
    .why = The usual reasons: the authorization took too long, the page was opened twice or reloaded, or a part of the request was lost.
    .step1 = Start connecting again from the beginning, in one browser window.
    .step2 = If it always fails, check that the PKCE code challenge is sent, and that the verifier is kept until the code is exchanged.

login-refused =
    .what = The connected user can't log in to Salesforce.
    .why = The usual reasons: the user is inactive, frozen, or locked, the password has expired, or the verification code was wrong. Salesforce also freezes users when an app connects through an anonymizing VPN or proxy.
    .step1 = Activate, unfreeze, or unlock the user, or reset the password. Then tell the team admin.
    .step2 = Reconnect. We recommend a dedicated user who isn't affected by staff changes. This user needs multi-factor authentication to log in.

inactive-org =
    .what = The Salesforce org is locked, expired, or closed.
    .why = A trial or contract has ended, or Salesforce has suspended the org.
    .step1 = Ask Salesforce about the contract of this org.
    .step2 = If you now use another org, disconnect, and connect to that one.

## Salesforce busy, unreachable or unclear

unable-to-lock-row =
    .what = Another process was using a record in Salesforce.
    .why = Another user or automation was changing this record or a related one, such as an account or a campaign.
    .step1 = No action needed. We'll retry automatically.
    .step2 = If it happens often, look for automation that changes many Leads at once.

server-unavailable =
    .what = Salesforce is busy or under maintenance.
    .why = During maintenance, an org's data can be read but not saved. Nothing was saved.
    .step1 = No action needed. We'll retry automatically.
    .step2 = If it lasts, look up the org's instance here. Its status is at status.salesforce.com.

org-unreachable =
    .what = Salesforce couldn't be reached.
    .why = The request failed or timed out because of a problem on the network or at Salesforce.
    .step1 = No action needed. We'll retry automatically.
    .step2 = If it lasts, check name resolution, the firewall, and the policy for the org's host.

outcome-unknown =
    .what = We don't know yet whether Salesforce saved the Lead.
    .why = We lost Salesforce's answer, or Salesforce failed while working on it. To avoid a duplicate, we'll check for the Lead before trying again. This can take 10 minutes.
    .step1 = No action needed. We'll check automatically. Meanwhile, don't create the Lead by hand.
    .step2 = If it keeps happening, look up the org ID here, and send it to Salesforce Support with the message and its error ID.

outcome-unclear =
    .what = Check whether this booking already has a Lead.
    .why = An earlier attempt may have created a Lead. Several Leads match, or one that differs slightly, so we don't decide automatically.
    .step1 = Check the Leads that are shown, or those created at that time with the guest's email address, and tell the team admin.
    .step2 = If one of them is right, mark the booking as done. Otherwise resend it.
    .step3 = To prevent this, choose a “Field for the booking ID” in the mapping's options.

## The scheduling platform's limits and policy, and faults of this plugin

request-denied =
    .what = The scheduling service's policy doesn't allow this request to Salesforce.
    .why = The org's host, the method, or the path isn't allowed, or the host is on a private network.
    .step1 = Compare the record of the refusal with the integration's manifest and your policy.

budget-exhausted =
    .what = The limits for one delivery were used up.
    .why = Salesforce was too slow, or the delivery needed more requests than the scheduling service allows.
    .step1 = No action needed. We'll retry automatically.
    .step2 = If it lasts, raise the integration's time and request limits.

answer-too-large =
    .what = Salesforce sent more data than the scheduling service allows.
    .why = In orgs with very many fields and picklist values, the description of Leads takes several megabytes.
    .step1 = Raise the integration's response size limit.

answer-blocked =
    .what = We discarded a partial answer from Salesforce.
    .why = A part of an answer could contain a part of the credential, so that we accept whole answers only. Salesforce sends no others. The likely cause is a proxy on the way, or a host that isn't really Salesforce.
    .step1 = Check what is between the scheduling service and Salesforce, check the org's URL, and tell the team admin.
    .step2 = Disconnect and connect again. Disconnecting revokes the credential.

answer-unreadable =
    .what = The exchange of data with Salesforce failed.
    .why = Something on the way changed the data, or the integration has a fault.
    .step1 = Resend the booking once.
    .step2 = If it fails again, report the code and the message to the integration's developer.

request-refused =
    .what = A server between us and Salesforce refused the request.
    .why = The answer has no Salesforce error code. A proxy, a firewall, or one of Salesforce's edge servers sent it. Nothing was saved.
    .step1 = No action needed. We'll retry automatically.
    .step2 = If it lasts, check the proxy and the firewall on the way to Salesforce.

request-too-large =
    .what = The request is too large for Salesforce, or for a server on the way to it.
    .why = A proxy or firewall on the way has a lower limit than Salesforce, or the mapped answers are very long.
    .step1 = Check the size limits of the proxy and the firewall on the way to Salesforce.
    .step2 = If they are high enough, map fewer answers, or limit their length in the form.

## The same with the particulars of an occurrence. If one is not given, the general text stands

exact-string-too-long = The value has { $length } characters, but the field “{ $field }” can have only { $limit }.
exact-number-outside-valid-range = The number has { $length } digits before the decimal point, but the field “{ $field }” can have only { $limit }.
exact-invalid-or-null-for-restricted-picklist = The field “{ $field }” doesn't have the value “{ $value }”.
exact-invisible-characters-removed = Invisible characters were removed from the value for the field “{ $field }”: { $characters }
exact-number-ambiguous = “{ $value }” can be { $smaller } or { $larger }, so the field “{ $field }” was left out.
exact-field-not-searchable = Salesforce can't search by the field “{ $field }”, which one of the mapping's options needs.
exact-required-field-missing = The field “{ $field }” is required in Salesforce, but has no value to save.
exact-required-field-blank = The field “{ $field }” is required in Salesforce, but is blank or can be left blank.
exact-invalid-field-for-insert-update = The connected user can't edit the field “{ $field }”.
exact-invalid-field = The connected user can't find the field “{ $field }”.
exact-target-unknown = The integration can't save records of the type “{ $value }”.
exact-option-invalid = The option “{ $option }” doesn't have the value “{ $value }”.
exact-request-limit-exceeded = The org has used { $used } of its { $limit } API calls in the last 24 hours.

## What a mapping can write

target-lead = Lead

## Facts about a connection

fact-edition = Edition
fact-username = Connected user
fact-user-id = User ID
fact-instance-url = Org URL
fact-api-version = API version
fact-daily-calls = API requests, last 24 hours

## The plugin's options

option-existing = If a Lead with the same email address exists
    .help = Converted Leads are ignored. If there are several Leads, the newest one is used.
    .create-another = Create another Lead
    .keep = Leave the Lead as it is
    .fill-empty = Fill in the Lead's blank fields only
    .overwrite = Overwrite the mapped fields

option-duplicates = If a duplicate rule matches
    .help = “Save anyway” works if the rule's action is “Allow”. “Use the matching Lead” works only when exactly one Lead matches and its email is the guest's. Changes to that Lead follow the setting “If a Lead with the same email address exists”. With “Create another Lead”, only its blank fields are filled in.
    .refuse = Refuse and report
    .save-anyway = Save anyway
    .use-match = Use the matching Lead

option-booking-id-field = Field for the booking ID
    .help = A text field that is an external ID and unique (255 characters, case-sensitive). With this field, a booking never becomes two Leads, even if the network fails.
    .none = None

option-assignment-rules = Lead assignment rules
    .help = For new Leads only. You can also enter the ID of a rule. If an owner is chosen or mapped and nothing is chosen here, no rule runs.
    .run = Run the active rule
    .skip = Don't run any rule

option-record-type = Record type
    .help = For new Leads only.
    .default = The connected user's default

option-owner = Owner of the Lead
    .help = For new Leads only. You can enter the ID of a user or a queue.
    .automatic = By assignment rule (otherwise the connected user)
