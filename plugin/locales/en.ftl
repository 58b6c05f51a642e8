### What people read: advice on every cause of an error, and the plugin's options. `build.rs` turns this file and its
### sibling into a Rust table; `src/guidance/causes.rs` says which codes have which cause, and who takes each step.

## Places in Salesforce, by the labels that people see there

place-lead-fields = Setup > Object Manager > Lead > Fields & Relationships
place-lead-validation-rules = Setup > Object Manager > Lead > Validation Rules
place-lead-triggers = Setup > Object Manager > Lead > Triggers
place-lead-record-types = Setup > Object Manager > Lead > Record Types
place-duplicate-rules = Setup > Data > Duplicate Management > Duplicate Rules
place-states-and-countries = Setup > Data > State and Country/Territory Picklists
place-storage-usage = Setup > Data > Storage Usage
place-permission-sets = Setup > Users > Permission Sets
place-users = Setup > Users > Users
place-oauth-usage = Setup > Apps > Connected Apps > Connected Apps OAuth Usage
place-app-policies = Setup > Apps > External Client Apps > External Client App Manager > (the app) > Policies
place-installed-packages = Setup > Apps > Packaging > Installed Packages
place-network-access = Setup > Security > Network Access
place-transaction-security = Setup > Security > Transaction Security Policies
place-login-history = Setup > Identity > Login History
place-company-information = Setup > Company Settings > Company Information
place-my-domain = Setup > Company Settings > My Domain
place-flows = Setup > Process Automation > Flows
place-assignment-rules = Setup > Feature Settings > Marketing > Lead Assignment Rules
place-recycle-bin = App Launcher > Recycle Bin
place-leads = App Launcher > Leads

## Values that Salesforce does not accept as they are

string-too-long =
    .what = A value is longer than its field in Salesforce.
    .why = Free text is cut to fit, with a warning. E-mail addresses, phone numbers, URLs, ids and choices are never cut, because they would be wrong. The field may also have been shortened since it was mapped.
    .step1 = Limit the length of the answer in the form, or map it to a longer field, such as a long text area.
    .step2 = Or make the field longer.

invalid-email-address =
    .what = An e-mail address is not valid.
    .why = The answer has a typing error, or the field is mapped to something other than an e-mail address. Salesforce accepts ASCII addresses only.
    .step1 = Ask the guest for the correct address and enter the Lead by hand.
    .step2 = Map the field to the guest's e-mail address or to an e-mail question.

number-outside-valid-range =
    .what = An answer does not fit a number field.
    .why = It is not a number, or it has more digits than the field accepts. Extra decimals are rounded, with a warning.
    .step1 = Use a number question, or map the answer to a text field.
    .step2 = Or let the field accept more digits.

date-invalid =
    .what = An answer is not a date or time that the field accepts.
    .why = Date fields need a calendar date, date/time fields a date and time with a time zone, and time fields a time of day.
    .step1 = Use a date question, or map the field to the start or end of the booking.

checkbox-invalid =
    .what = An answer is neither a yes nor a no.
    .why = The field is a checkbox. It accepts answers such as yes, no, true, false, はい and いいえ. Other texts are left out rather than guessed.
    .step1 = Use a consent question, or a question with the choices yes and no.

invalid-or-null-for-restricted-picklist =
    .what = A value is not one of the picklist's allowed values.
    .why = The picklist is restricted to its active values. The choice in the form is worded differently, the value was deactivated, or the controlling field or the record type does not allow it.
    .step1 = Word the form's choices like the picklist's values or labels.
    .step2 = Or add or activate the value, and allow it for the record type.

json-parser-error =
    .what = A value does not have the type of its field.
    .why = The question is mapped to a field of another type, or the field's type was changed after the mapping was saved.
    .step1 = Open the mapping, compare it with Salesforce, and choose a question or field that fits.

text-data-outside-supported-charset =
    .what = A text contains characters that Salesforce does not store.
    .why = These are usually invisible control characters from copied text. They are removed, with a warning.
    .step1 = Usually no action is needed. If the Lead is missing, enter it by hand.

field-integrity-exception =
    .what = Salesforce does not accept values that depend on each other, such as state and country.
    .why = With state and country picklists, names must be on the list, and the state must belong to the country.
    .step1 = Offer the listed names as choices in the form, and map the country too, as a fixed value if it is the same for all guests.
    .step2 = Look up the valid names, or set a default country.

field-custom-validation-exception =
    .what = A validation rule in Salesforce rejected the Lead.
    .why = Your org's admin set up a rule that this booking breaks. The message is the rule's own.
    .step1 = Find the rule by its message, and correct it or exempt the connected user.
    .step2 = Or change the form and the mapping so that bookings satisfy the rule.
    .step3 = Then send the booking again.

field-filter-validation-exception =
    .what = A lookup field rejected the record that it should refer to.
    .why = The field has a lookup filter that this record does not meet.
    .step1 = Choose another record in the mapping.
    .step2 = Or change the filter.

malformed-id =
    .what = A value is not the id of a record that can be used here.
    .why = The id has a typing error, belongs to another org (such as a sandbox) or another object, or was deleted; or the user has no access to the record type or owner.
    .step1 = Copy the id again from the URL of the record's page in the connected org.
    .step2 = Check which object the field refers to, and that the user has access.

## Fields that need a value, cannot be written or are gone

required-field-missing =
    .what = A field that Salesforce requires gets no value.
    .why = No row of the mapping fills it, or it became required after the mapping was saved.
    .step1 = Map the field to a question or a fixed value. A question must be required in the form too.
    .step2 = If Leads do not need it, make the field optional.

required-field-blank =
    .what = A field that Salesforce requires is blank, or may be left blank.
    .why = The question is optional in the form, while the field is required in Salesforce. Both must be required.
    .step1 = Make the question required, or give the row a fallback.
    .step2 = Or make the field optional in Salesforce.

invalid-field-for-insert-update =
    .what = The connected user may not write a field.
    .why = Field-level security or the page layout makes it read-only for the user, or Salesforce fills it in itself. Fields like this are not offered for new mappings.
    .step1 = Give the user edit access to the field, in a permission set under Object Settings > Leads.
    .step2 = Or remove the field from the mapping.

invalid-field =
    .what = The connected user cannot find a mapped field.
    .why = It was deleted, its API name was changed, or field-level security hides it.
    .step1 = Check that the field exists, and make it visible to the user under “Set Field-Level Security”.
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
    .what = A field gets its value twice.
    .why = Two rows, or a row and one of the mapping's options, write to it.
    .step1 = Remove one of the two. An option takes precedence over a row.

fallback-used =
    .what = The row's fallback was written.
    .why = The answer was blank or could not be written.
    .step1 = If this is intended, no action is needed. Otherwise make the question required in the form.

nothing-to-write =
    .what = None of the booking's values could be written.
    .why = All mapped answers were blank or left out.
    .step1 = Map at least the guest's name, company and e-mail address.

target-unknown =
    .what = The mapping is for records that the integration can't save.
    .why = The integration saves Leads only. The mapping was made for another integration or another version.
    .step1 = Choose “Lead” as what the mapping saves, and save the mapping.

email-unmapped =
    .what = Existing Leads can't be found because no row fills the email address.
    .why = The mapping's options ask us to look for existing Leads. We find them by the email address that a row fills. Without it, every booking creates another Lead.
    .step1 = Map the guest's email address to the field “Email”, or choose to create another Lead.

option-invalid =
    .what = One of the mapping's options is not valid.
    .why = The plugin does not know the option or its value.
    .step1 = Open the mapping's options, choose again and save.
    .step2 = If the settings page offers no valid choice, update the plugin.

mapping-too-large =
    .what = The mapping has too many fields for a lookup.
    .why = Before it writes again, the plugin reads all mapped fields in one query, and Salesforce limits the length of a query.
    .step1 = Map fewer fields.

booking-id-field-unfit =
    .what = The field for the booking id cannot be used.
    .why = It must be a text field that is unique (case-sensitive), an external ID, long enough for the team and booking ids, and writable for the connected user.
    .step1 = Create a text field of 255 characters with “Unique”, “Treat "ABC" and "abc" as different values” and “External ID”, and let the user edit it.
    .step2 = Choose that field in the mapping's options.

record-type-unavailable =
    .what = The connected user may not use the record type.
    .why = It is inactive, was deleted, or is not assigned to the user.
    .step1 = Activate it, and assign it to the user by profile or permission set.
    .step2 = Or choose another one in the mapping's options.

invalid-assignment-rule =
    .what = There is a problem with the assignment rule.
    .why = There is no active Lead assignment rule with this id, or the mapping sets an owner whom the rule may replace.
    .step1 = Check the rule and its id, and activate it.
    .step2 = In the mapping, choose either the rule or an owner.

## Leads that exist already, or no longer

duplicates-detected =
    .what = A duplicate rule in Salesforce rejected the Lead.
    .why = Salesforce has a record that it considers the same person. Its id is shown if the connected user may see it. The guest may simply have booked before.
    .step1 = Look at the matching record. If it is the same person, no new Lead is needed; add the booking's details by hand if you want them.
    .step2 = Choose in the mapping's options what should happen: refuse, save anyway, or use the matching Lead.
    .step3 = “Save anyway” works only if the rule's action on create is “Allow”. If it is “Block”, change the rule, or exempt the connected user with a condition.

duplicate-value =
    .what = Another record already has a value that must be unique.
    .why = A mapped field is set to “Unique”, or several records have the same external ID. The record is shown if Salesforce names it.
    .step1 = Look at the record, and correct whichever value is wrong.
    .step2 = Do not map a unique field to a fixed value, or to an answer that several guests may give.
    .step3 = If the field does not need to be unique, change it.

cannot-update-converted-lead =
    .what = The Lead has been converted and can no longer be changed.
    .why = A converted Lead continues as a contact, an account and perhaps an opportunity. The booking's new time was not written.
    .step1 = Enter the change on the contact or the opportunity by hand.

record-unknown =
    .what = The Lead of a canceled booking can't be found, so nothing was changed.
    .why = The booking was made before the team connected, or it has no Lead. A cancellation never creates one.
    .step1 = If this booking has a Lead, enter the cancellation by hand.
    .step2 = To let us find such Leads in the future, choose a field for the booking ID in the mapping's options.

entity-is-deleted =
    .what = The Lead no longer exists.
    .why = It was deleted or merged into another record, or is no longer shared with the connected user.
    .step1 = If the Lead was deleted by mistake, restore it.
    .step2 = Then send the booking again, or enter the change by hand.

all-or-none-operation-rolled-back =
    .what = Salesforce undid this step because another one failed.
    .why = The steps of one request are written all together or not at all.
    .step1 = Follow the advice on the other error shown with this one.

## What the org, its edition and the user's permissions do not allow

api-disabled-for-org =
    .what = The Salesforce API is not available to this org or user.
    .why = Enterprise, Unlimited, Performance and Developer Edition include the API; Professional Edition needs it as an add-on. The user also needs the permission “API Enabled”.
    .step1 = Check “Organization Edition”. If it does not include the API, ask Salesforce for the add-on or another edition.
    .step2 = Give the connected user “API Enabled” under System Permissions.

lead-not-readable =
    .what = The connected user lacks permissions on Leads.
    .why = The user needs Read, Create and Edit on Leads. Without any permission, Salesforce says that the object does not exist. Edit is needed for rescheduled bookings and for updating existing Leads.
    .step1 = Give the user Read, Create and Edit on Leads with a permission set, and read and edit access to the mapped fields.
    .step2 = Then check the connection again.

access-refused =
    .what = The connected user may not do this in Salesforce.
    .why = The user lacks a permission on the object or the record, for example because the Lead belongs to somebody else and is not shared.
    .step1 = Give the user Read, Create and Edit on Leads, and check the sharing settings of Leads.

insufficient-access-on-cross-reference-entity =
    .what = The Lead refers to a record that the connected user may not use.
    .why = The record named in the message, such as a campaign, an owner or a record type, is not shared with the user. Automation in the org may also use it.
    .step1 = Give the user access to the record with that id.
    .step2 = Or choose another record in the mapping.

inactive-owner-or-user =
    .what = The Lead's owner would be an inactive user.
    .why = The owner comes from the mapping, an assignment rule or automation, and has since been deactivated.
    .step1 = Find the user by the id in the message, and replace them in assignment rules, queues and flows.
    .step2 = If the mapping sets the owner, choose an active user.

cannot-insert-update-activate-entity =
    .what = Automation in Salesforce stopped the Lead.
    .why = An Apex trigger, a flow or a package in the org failed while the Lead was saved; the message names it. If the message says “entity type cannot be inserted”, the user may not create Leads.
    .step1 = Find the flow in the message, and correct it or let it skip the connected user's Leads.
    .step2 = For a trigger, give the message to its developer.
    .step3 = Then send the booking again.

txn-security-no-access =
    .what = A security policy of the org blocked the request.
    .why = A transaction security policy applies to this user's API calls.
    .step1 = Check the policies, and make an exception for the connected user.

request-limit-exceeded =
    .what = The org has used all or nearly all of its API calls.
    .why = Salesforce counts the API calls of all integrations over the last 24 hours. Bookings wait until calls are available again. A booking takes one or two calls.
    .step1 = Check “API Requests, Last 24 Hours”, find the integration that uses the most, and reduce its use or buy more calls.
    .step2 = No other action is needed: no booking is lost.

storage-limit-exceeded =
    .what = The org's data storage is full.
    .why = Salesforce cannot create records until space is freed.
    .step1 = Free or buy data storage.
    .step2 = Then send the bookings again.

license-limit-exceeded =
    .what = The org has reached a license limit.
    .why = The request needs a license that is used up or not assigned to the user.
    .step1 = Check which licenses are used up, and which ones the connected user has.

api-version-retired =
    .what = The org does not offer the API version that this plugin uses.
    .why = Salesforce retires old versions after some years, and offers new ones once the org has been upgraded.
    .step1 = Install the current release of the plugin.

## Connections that are missing or have ended

connection-ended =
    .what = Salesforce no longer accepts the connection, so bookings are waiting.
    .why = The authorization was revoked in Salesforce, was unused for longer than the app's refresh token policy allows (often 30 days), or ended because the user was deactivated or changed.
    .step1 = Connect to Salesforce again with a user who will stay. Your settings are kept, and waiting bookings are sent in order.
    .step2 = If it happens again, check the app's refresh token policy and choose a longer period, or expiry after inactivity instead of a fixed period.

not-connected =
    .what = The team is not connected to Salesforce.
    .why = Nobody has connected yet, the connection was removed, or the stored connection is incomplete.
    .step1 = Connect to Salesforce in the team's integration settings. Waiting bookings are sent afterwards.

session-not-for-api =
    .what = Salesforce accepts the login, but not for its API.
    .why = The app's OAuth scopes lack `api`, or a policy of the org restricts such sessions. Connecting again does not help by itself.
    .step1 = Allow the app the scopes `api` and `refresh_token`, and allow the user to use the API.
    .step2 = Then connect again.

org-unknown =
    .what = The org is no longer at its address.
    .why = Its My Domain was renamed, the org was moved or deleted, or a sandbox was refreshed.
    .step1 = Look up the org's current address.
    .step2 = Disconnect, and connect again at that address.

already-revoked =
    .what = The authorization had already been revoked.
    .why = It ended earlier. The connection has been removed.
    .step1 = No action is needed. To use Salesforce again, connect again.

unsupported-token-type =
    .what = Salesforce did not revoke the authorization.
    .why = It does not support revoking this type of token.
    .step1 = Revoke the app's access for the user by hand.
    .step2 = Report the message to the plugin's publisher.

credential-unavailable =
    .what = The connection could not be renewed for the moment.
    .why = The scheduling platform or Salesforce's login service was briefly busy or unreachable. The connection itself is still valid.
    .step1 = No action is needed; it will be retried automatically.
    .step2 = If it lasts longer than an hour, check the credential store and the network path to Salesforce's login host.

credential-blocked =
    .what = Salesforce blocks the connection. Bookings are on hold.
    .why = The authorization is still valid, but a policy of the org or of the app currently prevents its use.
    .step1 = Look for the failed login of the connected user, and its reason.
    .step2 = Allow the app and the connected user. Check blocked apps, IP ranges, and login hours, and tell the team admin.

app-attest-failed-retry =
    .what = Salesforce's login service failed.
    .why = This is usually a temporary fault or maintenance at Salesforce.
    .step1 = If you are connecting, start again in a few minutes. An existing connection is retried automatically.
    .step2 = If it lasts, check the login's status here, and Salesforce's status at status.salesforce.com.

rate-limit-exceeded =
    .what = Salesforce is refusing further logins of this user for now.
    .why = Salesforce limits a user's logins per hour, over all apps together.
    .step1 = Wait an hour.
    .step2 = Find out which app logs in so often with this user, and give each integration its own user.

## The org's policies on apps, and how the app is registered

app-blocked =
    .what = The app is blocked in this Salesforce org.
    .why = An admin blocked it, or the org blocks all apps that are not on its list.
    .step1 = Find the app and choose Unblock.
    .step2 = Then connect again.

app-not-installed =
    .what = The app is not installed in this Salesforce org.
    .why = Since September 2025 Salesforce refuses apps that no admin has installed, except for users with the permission “Approve Uninstalled Connected Apps”. An External Client App must always be installed from its package.
    .step1 = Install the package that the scheduling platform provides, and check that it is listed here.
    .step2 = For a connected app without a package, find it and choose Install.
    .step3 = Then connect again.

app-not-approved =
    .what = This user may not use the app.
    .why = The app's “Permitted Users” is set to “Admin approved users are pre-authorized”, and the user has none of its profiles or permission sets; or the user never authorized the app.
    .step1 = Add the user's profile or permission set to the app, or set “Permitted Users” to “All users may self-authorize”.
    .step2 = Then connect again.

oauth-approval-error-generic =
    .what = Salesforce stopped the authorization without giving a reason.
    .why = Usually the app is not installed or not allowed for this user, or lacks the scope `refresh_token`; or the user is an API-only integration user, who cannot log in through a browser.
    .step1 = Look for the failed login and its reason.
    .step2 = Check that the app is installed and not blocked.
    .step3 = Check that the user is permitted, and that the scopes are `api` and `refresh_token`.
    .step4 = Then connect again.

login-restricted =
    .what = Salesforce does not accept logins from this network address or at this time.
    .why = The org, the user's profile or the app restricts network addresses or login hours, and the scheduling platform's servers are outside them.
    .step1 = Give the org's admin the fixed addresses from which the platform calls Salesforce.
    .step2 = Add these addresses to the trusted ranges, and to the login ranges of the user's profile if it has any.
    .step3 = If that is not possible, relax “IP Relaxation” for this app only.

my-domain-required =
    .what = Salesforce accepts this login only at the org's own address.
    .why = The org does not allow the common login pages, or they do not support this way of logging in.
    .step1 = Look up the address.
    .step2 = Connect again with this address as the login host.

run-as-user-missing =
    .what = The app has no user to run as.
    .why = The client credentials flow needs a “Run As” user.
    .step1 = Enable the client credentials flow and choose the user.

invalid-client-id =
    .what = Salesforce does not know the app's key, or rejects its secret.
    .why = The key belongs to another environment, the secret was changed, or the app was created less than ten minutes ago.
    .step1 = Compare the consumer key and secret with the app's settings in Salesforce. After a change, wait ten minutes.
    .step2 = Check that you chose production or sandbox correctly, and connect again.

redirect-uri-mismatch =
    .what = The callback URL is not registered with the app.
    .why = It must match one of the app's callback URLs exactly, including a slash at the end.
    .step1 = Register the platform's callback URL with the app, or correct the configured one.

audience-invalid =
    .what = The app's registration in Salesforce does not match the way it logs in.
    .why = A flow, a scope or a policy that the platform uses is not enabled for the app.
    .step1 = Enable the web server flow with PKCE and the scopes `api` and `refresh_token` for the app. For other flows, follow the message.
    .step2 = Check that the org's policies for the app do not disable the flow.

invalid-session-level =
    .what = Salesforce requires a stronger login.
    .why = A policy of the org allows the API only for high-assurance sessions.
    .step1 = Relax the policy for the connected user or the app.
    .step2 = Connect again with multi-factor authentication.

## Logins that were not completed, and users who may not log in

access-denied =
    .what = The authorization was declined in Salesforce.
    .why = Somebody chose Deny or closed the page.
    .step1 = Connect again and choose Allow.

authorization-code-ended =
    .what = Connecting to Salesforce was not completed.
    .why = The authorization took too long, its page was opened twice or reloaded, or a part of the request was lost.
    .step1 = Start connecting again from the beginning, in one browser window.
    .step2 = If it always fails, check that the PKCE code challenge is sent, and that the verifier is kept until the code is exchanged.

login-refused =
    .what = The connected user cannot log in to Salesforce.
    .why = The user is inactive, frozen or locked, the password has expired, or the verification code was wrong.
    .step1 = Check the user: activate, unfreeze or unlock them, or reset the password.
    .step2 = Connect again, preferably with a dedicated integration user, who does not leave when a person does.

inactive-org =
    .what = The Salesforce org is locked, expired or closed.
    .why = A trial or contract has ended, or Salesforce has suspended the org.
    .step1 = Ask Salesforce about the contract of this org.
    .step2 = If you now use another org, disconnect, and connect to that one.

## Salesforce busy, unreachable or unclear

unable-to-lock-row =
    .what = A record in Salesforce was in use at that moment.
    .why = Another user or automation in the org was changing it or a related record, such as an account or a campaign.
    .step1 = No action is needed; it will be retried automatically.
    .step2 = If it happens often, look for automation that changes many Leads at once.

server-unavailable =
    .what = Salesforce is busy or under maintenance.
    .why = During maintenance an org can be read but not written. Nothing was written.
    .step1 = No action is needed; it will be retried automatically.
    .step2 = If it lasts, look up the org's instance here and its status at status.salesforce.com.

org-unreachable =
    .what = Salesforce could not be reached.
    .why = The connection failed or timed out, because of a fault on the network or at Salesforce.
    .step1 = No action is needed; it will be retried automatically.
    .step2 = If it lasts, check name resolution, the firewall and the policy for the org's host.

outcome-unknown =
    .what = It is not known yet whether Salesforce wrote the Lead.
    .why = The answer was lost, or Salesforce failed while working on it. To avoid a second Lead, the plugin looks for the first one before it writes again. It may take ten minutes until the outcome is final.
    .step1 = No action is needed; it will be resolved automatically. Do not create the Lead by hand meanwhile.
    .step2 = If it keeps happening, send the message with its error id to Salesforce Support.

outcome-unclear =
    .what = A person must check whether this booking already has a Lead.
    .why = An earlier attempt may have created a Lead. Several Leads, or slightly different ones, could be it, and the plugin does not guess.
    .step1 = Look at the Leads named in the problem, or those with the guest's e-mail address that were created at that time.
    .step2 = If one of them is right, mark the booking as done. If not, send it again.
    .step3 = To prevent this in the future, choose a unique field for the booking id in the mapping's options.

## The scheduling platform's limits and policy, and faults of this plugin

request-denied =
    .what = The scheduling platform's policy forbids this request to Salesforce.
    .why = The operator does not allow the org's host, the method or the path, or the host leads into a private network.
    .step1 = Compare the host's report of the refusal with the plugin's manifest and the operator's policy.

budget-exhausted =
    .what = The limits for one delivery were used up.
    .why = Salesforce answered too slowly, or the delivery needed more requests than the platform allows for one call.
    .step1 = No action is needed; it will be retried automatically.
    .step2 = If it lasts, raise the time and request limits for this plugin.

answer-too-large =
    .what = Salesforce's answer is larger than the platform allows.
    .why = In orgs with very many fields and picklist values, the description of Leads takes several megabytes.
    .step1 = Raise the response limit for this plugin.

answer-blocked =
    .what = An answer was withheld because it contained the credential.
    .why = Salesforce itself never sends it back. A proxy on the way, or an address that is not a real org, may do so.
    .step1 = Check what is between the platform and Salesforce, and check the org's address.
    .step2 = Disconnect, which revokes the credential, and connect again.

answer-unreadable =
    .what = The plugin and Salesforce did not understand each other.
    .why = Something on the way changed the request or the answer, or the plugin has a fault.
    .step1 = Send the booking again once.
    .step2 = If it fails again, report the code and message to the plugin's publisher.

request-too-large =
    .what = The booking is too large for one request to Salesforce.
    .why = The mapped answers together, or one that is used in a lookup, exceed what Salesforce accepts.
    .step1 = Map fewer or shorter answers, or limit their length in the form.

## The same with the particulars of an occurrence. If one is not given, the general text stands

exact-string-too-long = The value has { $length } characters, but the field “{ $field }” can have only { $limit }.
exact-number-outside-valid-range = The number has { $length } digits before the decimal point, but the field “{ $field }” can have only { $limit }.
exact-invalid-or-null-for-restricted-picklist = The field “{ $field }” doesn't have the value “{ $value }”.
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

option-existing = If a Lead with the same e-mail address exists
    .help = Converted Leads are ignored. If there are several Leads, the newest one is used.
    .create-another = Create another Lead
    .keep = Leave the Lead as it is
    .fill-empty = Fill in the Lead's blank fields
    .overwrite = Overwrite the mapped fields

option-duplicates = If a duplicate rule matches
    .help = “Save anyway” works if the rule's action is Allow. “Use the matching Lead” works if exactly one Lead matches and has the guest's e-mail address. The “existing Leads” setting then decides what happens to it; with “Create another Lead”, its blank fields are filled in.
    .refuse = Refuse and report
    .save-anyway = Save anyway
    .use-match = Use the matching Lead

option-booking-id-field = Field for the booking id
    .help = A text field that is an external ID and unique (255 characters, case-sensitive). With it, a booking never becomes two Leads, even if the network fails.
    .none = None

option-assignment-rules = Lead assignment rules
    .help = For new Leads only. You can also enter the id of a rule. If an owner is chosen or mapped and nothing is chosen here, no rule runs.
    .run = Run the active rule
    .skip = Do not run any rule

option-record-type = Record type
    .help = For new Leads only.
    .default = The connected user's default

option-owner = Owner of the Lead
    .help = For new Leads only. You can enter the id of a user or a queue.
    .automatic = By assignment rule, otherwise the connected user
