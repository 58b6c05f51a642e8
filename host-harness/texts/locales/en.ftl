### What people read of the command, and of errors by their codes (`code-...`, with the remedy in `.do`).
### Words: `docs/glossary.md`.

## Errors and interrupts

error = error: { $headline } ({ $code })
error-detail = { $message }
command-failed = The command failed.
interrupted = Interrupted.
look-first = A record may have been written. To look for it before creating another, run again with { $arguments }
nothing-left = The local org ran for this command only, so nothing is left to look for.
test-leads-left = Test Leads may be left in the org. In ten minutes, look for Leads whose company is “{ $company }”, and delete them.
output-closed = The result could not be shown, because the output was closed.
saving-token = Waiting for the server, to keep the token that it sends. Interrupt again to end at once.
token-lost = A token that was being refreshed may be lost. If `doctor` says so, connect again.

## Waiting

compiling = compiling { $percent } % { $crates }
compiling-count = compiling { $percent } % ({ $done } of { $total } crates)
waiting-for-cargo = Waiting for another cargo process to finish ({ $lock }).
waiting-for-call = Waiting for { $origin } to respond. The call ends after { $seconds } s at the latest.
waiting-for-folder = Waiting for another process that is changing { $folder }.
from-source = The toolchain has no wasm32-unknown-unknown target, so Debian's Rust compiles the standard library from source.

## Problems and findings

problem = Problem: { $code } — { $reaction }
problem-message = message: { $message }
problem-fields = fields: { $list }
problem-rows = mapping rows: { $list }
problem-questions = questions: { $list }
problem-in-the-way = in the way: { $list }
problem-records = the booking's records: { $list }
problem-wait = wait at least: { $seconds } s
problem-also = also: { $code }: { $message }
reaction-fix-booking = this booking's data must be corrected
reaction-fix-mapping = the mapping must be changed
reaction-ask-admin = an admin of the CRM must change something
reaction-reconnect = the team must connect again
reaction-retry = try again later
reaction-check-first = it may have been written; check before trying again
actor-team-admin = team owner or admin
actor-calendar-owner = calendar owner
actor-crm-admin = CRM admin
actor-operator = scheduling provider
consequence-changed = changed
consequence-left-out = left out
consequence-refused = would be refused
row = row { $id }
finding-detail = detail: { $message }
left-out-count = { $count ->
    [one] 1 value was not written; see above.
   *[other] { $count } values were not written; see above.
}
left-out-count-preview = { $count ->
    [one] 1 value would not be written; see above.
   *[other] { $count } values would not be written; see above.
}
no-findings = No findings: a booking can be delivered.

## Results of a delivery

outcome-created = Created { $record }
outcome-updated = Updated { $record }
outcome-kept = Left unchanged: { $record }
outcome-already-delivered = Already delivered: { $record }
outcome-ignored = Nothing to do.
outcome-other = { $outcome } { $record }
and-record = and { $record }
name-record = The booking has a record: add --record { $record } to the next run
would-do-nothing = Would do nothing.
would-create = Would create a record ({ $object }):
would-update = Would update { $record }:
would-keep = Would leave { $record } as it is.
would-refuse = Would write nothing ({ $object }).
would-do-other = Would do this ({ $object }): { $action }
usage = used: { $requests } of { $most_requests } requests, { $memory } of { $most_memory } KiB memory, { $cpu } of { $most_cpu } ms computing, { $wall } of { $most_wall } ms in all
no-response = no response
denied-by-policy = refused by policy: { $reason }
would-be-allowed-by = these manifest lines would allow it:

## Tables

column-field = Field
column-value = Value
column-label = Label
column-api-name = API name
column-type = Type
column-suggested = Suggested source
column-choices = Choices
column-sent = Value as sent
column-from = From
column-filled-from = Filled from
source-answer = answer { $id }
source-tracking = tracking { $name }
source-fixed = “{ $text }”
source-template = template { $text }
source-fallback = fallback of { $source }
source-integration = added by the integration

## Fields and options

required = required
fields-offered = { $fields } fields offered, { $required } of them required; { $withheld } withheld:
required-fields = required: { $list }
and-more = and { $count } more
type-text = text
type-text-area = text area
type-email = email
type-phone = phone
type-url = url
type-integer = integer
type-number = number
type-currency = currency
type-percent = percent
type-checkbox = checkbox
type-date = date
type-date-time = date and time
type-time = time
type-choice = choice
type-choices = several choices
type-text-or-choice = text or choice
type-reference = reference
type-of-choices = { $kind } of { $count }
default-mark = default
no-options = The integration offers no options.
options-for = Options of mappings for { $target } ({ $name }):

## Connections

connection-works = The connection works.
login-server-said = the login server said: { $words }
test-override = test override in force: requests to { $pattern } go to { $origin }
open-address = Open this address, log in as the user who should appear as the Leads' creator, then choose Allow:
no-browser-opened = No browser could be opened ({ $reason }). Open the address yourself.
waiting-for-callback = Waiting up to { $limit } for the browser to return to { $address }
still-waiting = Still waiting for the browser to return, for { $left } more. If the org shows an error page, the browser does not return: look there, and press Ctrl-C.
paste-callback = Afterwards the browser goes to an address that begins with { $address }, and may fail to show it. Paste that address here:
seconds = { $count } s
minutes = { $count } min
connected = Connected `{ $team }` to { $origin }.
stored-in = stored in { $folder }, sealed; `host-harness disconnect --team { $team }` ends it
try-the-key = `host-harness doctor --team { $team }` shows whether the CRM accepts the key
page-allowed = Done. The terminal shows the result; you can close this page.
page-denied = Access was not allowed, so nothing is connected. The terminal shows what to do; you can close this page.
page-refused = The org refused, so nothing is connected. The terminal shows what to do; you can close this page.
page-other = This is not the expected callback.
disconnected-now = Disconnected `{ $team }`: the grant is revoked and its tokens are deleted here.
disconnected-key = Disconnected `{ $team }`: its API key is deleted here.
key-remains = The key itself is not revoked. Delete it at { $server } too, unless something else uses it.
disconnected-unreadable = Disconnected `{ $team }`: its row could not be opened, and is deleted here.
unreadable-remains = Its grant or key is not revoked. Revoke it at the server, in the settings of the user who connected it.
disconnected-before = Disconnected `{ $team }`: the grant had already ended; its tokens are deleted here.
disconnected-nothing = Disconnected `{ $team }`: no grant was stored for it, so none was revoked.
nothing-remains = If nobody has revoked the grant, revoke it at { $server }, in the settings of the user who connected it.
disconnected = Disconnected `{ $team }`: its tokens are deleted here.
grant-remains = The grant may still be valid: nothing confirms that it is revoked. Revoke it at { $server } too, in the settings of the user who connected it.
other-grant-remains = This build cannot revoke the grant of credential `{ $credential }`, which another build made. Revoke it at { $server } too, in the settings of the user who connected it.
the-server = the server
resealed = Sealed { $rows } rows in { $folder } with a new key.
set-new-key = Set HARNESS_STORE_KEY to the new key now; the old one opens nothing here any more.
damaged-rows = { $rows } rows were damaged before and stay so; connect their teams again.

## The local org

org-address = org:   { $address }   (open it in a browser to see Leads and requests)
org-admin = admin: { $address }   (faults, request log, clock; see docs/local-org.md)
org-user = log in as { $user } with the password { $password }
org-stop = Stop it with Ctrl-C.

## The component

unchanged = (unchanged)
bytes = { $bytes } bytes
inspect-contract = contract   { $contract }
inspect-sha256 = sha256     { $digest }
inspect-size = size       { $bytes } bytes ({ $percent } % of { $budget })
inspect-imports = imports    { $list }
inspect-exports = exports    { $list }
inspect-may-reach = may reach  { $origin } (during a call: only the origin of the connected org)
inspect-credential = credential { $name }: scopes { $scopes }; login at { $hosts }
inspect-login-parameters = the login is requested with { $list }
inspect-attributes = the integration cannot read it, only its attributes { $list }
inspect-key = credential { $name }: API key in header { $header }, to { $origin }
inspect-unreadable = the integration cannot read it
inspect-plan = plan       { $plan }; may be connected by { $roles }
inspect-limits = per call   { $memory } MiB memory, { $cpu } ms computing, { $wall } ms in all, { $requests } requests of { $request } KiB, responses of { $response } KiB

## The demo

demo-component = The component
demo-org = A Salesforce org on this machine, connected as a team's owner would in the browser
demo-fields = The Lead fields that can be mapped
demo-mapping = How the calendar's owner mapped them
demo-booking = A guest books; the scheduling service's webhook body arrives
demo-lead = The Lead as Salesforce now holds it
demo-disconnected = Disconnected
demo-step = [{ $number }/{ $of }] { $title }
demo-path = login page → approval page → callback with a code → tokens, which the host keeps and the integration never sees
demo-imports = imports { $list } and nothing else
demo-revoked = the grant was revoked at the org and removed here
demo-refuses = the org now refuses the old token: { $status }
demo-reports = the integration now reports: { $code }
demo-done = Done: a booking became a Lead, in one request, by an integration that never held a credential.

## Live checks

live-not-run = not run: set { $host } (the org's My Domain), { $id } and { $secret }, or name a stored connection with --team
live-leads = Test Leads are created in the org and deleted again; their company is “{ $company }”.
live-as-expected = as expected
live-differs = DIFFERS
live-skipped = skipped
live-alike = alike
live-done = done:     { $text }
live-expected = expected: { $text }
live-words = its words: { $text }
live-remedy = do:       { $text }
live-cases = { $alike } of { $all } cases have the same response
live-summary = { $as_expected } of { $all } steps as expected, { $differing } otherwise, { $skipped } skipped. Transcript: { $file }
live-unanswered = { $count } creates got no response, and the org may still carry them out: in ten minutes, look for Leads whose company is “{ $company }”, and delete them
live-left-behind = the test Lead { $lead } could not be deleted; please delete it
live-org-written = { $file }: { $count } fields; `host-harness org --file` runs it
live-cases-written = { $file }: { $count } refusals; `host-harness live-check --cases` with this org as `--org` tests it with them

## Delivery

serving = Accepting bookings at { $address }. Ctrl-C ends it.
working = Delivering bookings. Ctrl-C ends it.
finishing = Finishing the bookings that are under way; the others wait. Interrupt again to end at once.
ended-at-once = Ended. Bookings that were under way are looked for before they are created.
stopped-serving = Stopped.
not-synced = The ledger could not be synced, so the process ends. Check the disk, then start it again.
sample-ready = The team { $team } is connected to it, and the calendar { $calendar } has a mapping. Send a booking:
sample-leads = Then look at its Leads: { $address }
team-created = Created the team { $team }.
team-renamed = The team { $team } is called { $name }.
token-shown-once = This is the token { $id }. It is not shown again; keep it where your other secrets are.
token-revoked = Revoked the token { $id }. Servers notice within five seconds.
mapping-saved = Saved the mapping of calendar { $calendar } as version { $version }.
hook-set = Webhooks of { $service } for the team { $team } are accepted with these secrets.
hook-off = Webhooks of { $service } are not accepted any more.
try-without-end = not ended
given-up = Delivery { $id } is given up.
not-changed = Delivery { $id } is final, or under way, so nothing was changed.
resent-one = Delivery { $id } is sent again.
resend-plan = { $count ->
    [one] 1 delivery would be sent again, with at least { $requests } request to the CRM.
   *[other] { $count } deliveries would be sent again, with at least { $requests } requests to the CRM.
}
resend-question = Send them again? [y/N]
resent-so-far = { $done } of { $count }
resent-all = { $count ->
    [one] 1 delivery is sent again.
   *[other] { $count } deliveries are sent again.
}
recovered = { $count ->
    [one] 1 delivery will be looked for before it is created. Start the server now.
   *[other] { $count } deliveries will be looked for before they are created. Start the server now.
}
erased = { $count ->
    [0] No booking of this guest is kept.
    [one] Removed what was personal of 1 booking. The CRM may have these records:
   *[other] Removed what was personal of { $count } bookings. The CRM may have these records:
}
column-id = Id
column-team = Team
column-name = Name
column-scope = Scope
column-ends-with = Ends with
column-revoked = Revoked
column-cause = Cause
column-state = State
column-count = Count
column-earliest-meeting = Earliest meeting
column-booking = Booking
column-record = Record
column-meeting = Meeting

## Errors: files and arguments

code-file-unreadable = A file can't be read.
    .do = Check its name and who can read it.
code-file-too-large = A file is larger than one call may be.
    .do = Shorten the file.
code-file-malformed = A file isn't valid.
    .do = Correct the place that is named. docs/mapping.md describes mappings and bookings.
code-file-without-booking = The file's event doesn't confirm, move, or cancel a booking, so nothing was sent.
    .do = Choose the body of another event. docs/mapping.md lists the events that are read.
code-text-too-long = A text is longer than the integration accepts, so nothing was sent.
    .do = Shorten it, or leave its row out of the mapping.
code-field-unknown = A row writes to a field that can't be written.
    .do = Choose another field: `host-harness fields` lists them. If the field exists, the CRM's admin must let the connected user edit it (Setup > Object Manager > Lead > Fields & Relationships > the field > Set Field-Level Security: field-level security).
code-attribute-unknown = A row uses booking information that doesn't exist, so nothing was sent.
    .do = Correct the name in that row. docs/mapping.md lists them.
code-option-invalid = The mapping chooses an option or value that doesn't exist, so nothing was sent.
    .do = Correct it. `host-harness options` lists options with their values.
code-no-such-field = This field does not exist.
    .do = `host-harness fields` lists them.
code-file-not-private = Other users can read a file that holds a secret.
code-file-unwritable = A file or folder can't be written.
    .do = Check who can write there, or name another place.
code-no-org = This local org does not exist.
    .do = `host-harness org --list` shows the built-in ones.
code-org-incomplete = The org file lacks something.
    .do = Add it. docs/local-org.md lists the keys.
code-org-file-syntax = The org file can't be parsed.
    .do = Correct the place that is named. docs/local-org.md lists the keys.
code-org-file-contradiction = The org file contradicts itself.
    .do = Correct it. docs/local-org.md lists the keys.
code-org-file-describe = The describe result can't become an org.
    .do = Save the describe result of the Lead object again.
code-unknown-tries = The times of earlier runs can't be right.
    .do = Use the times that the earlier run printed.
code-argument-missing = An argument is missing.
    .do = Add it. `--help` describes the arguments.
code-argument-unfit = An argument doesn't apply here.
    .do = Leave it out.

## Errors: connections

code-no-connection = This connection does not exist.
    .do = Connect the team first with `host-harness connect`, or name another folder with --data.
code-no-store = The folder of stored connections does not exist.
    .do = Name it with --data.
code-credentials-unclear = The integration doesn't ask for exactly one credential.
    .do = Use another build of it.
code-key-from-terminal = An API key can't be typed in, where others could read it.
    .do = Pipe it into the command, or name its file with --api-key-file.
code-redirect-uri = The callback URL can't be used.
    .do = Register a callback URL on this machine with the app, and name it with --redirect-uri.
code-callback-listen = The callback address is in use.
    .do = Stop what listens there, or register another callback URL.
code-no-callback = The browser didn't return in time, so nothing is connected.
    .do = If the org showed an error page, correct what it names. A usual reason: the app does not have this callback URL. If the page never appeared, use --no-browser.
code-login-host-unreachable = The login host can't be reached, so nothing was begun.
    .do = Check the host's spelling and the network.
code-local-login-elsewhere = --local-login works only with a local org on this machine.
    .do = Leave it out, and log in in the browser.
code-connect-login-host = The login host can't be used.
    .do = Use login.salesforce.com, test.salesforce.com, or the org's My Domain.
code-connect-login-host-not-registered = The login host isn't registered.
    .do = Ask the scheduling provider to register it.
code-connect-no-client = No client is registered.
    .do = Give the consumer key and secret of the app.
code-connect-key-invalid = The text can't be an API key.
    .do = Copy the key from the CRM again.
code-connect-refused = The org refused the connection.
    .do = Correct what the org names, and connect again.
code-connect-no-answer = The login host didn't respond.
    .do = Connect again later.
code-connect-invalid-answer = The login host's response can't be used.
    .do = Check the login host, and connect again.
code-connect-origin = The org's address isn't allowed.
    .do = Check the login host and the policy.
code-connect-expired = Too much time has passed.
    .do = Connect again.
code-connect-state-mismatch = The address isn't the one that the login led to.
    .do = Connect again, and paste the whole address that the browser was sent to, with code and state.
code-connect-callback = The address isn't complete.
    .do = Connect again, and paste the whole address that the browser was sent to, with code and state.
code-connect-other-browser = The login was finished in another browser.
    .do = Connect again in one browser.
code-connect-changed = The integration changed during the login.
    .do = Connect again.
code-connect-redirect-uri = The callback URL can't be used.
    .do = It must be https, or http on this machine.
code-connect-not-oauth = The integration uses an API key.
    .do = Connect with --api-key-file.
code-connect-not-api-key = The integration's people log in.
    .do = Connect with --login-host.
code-request-invalid = A request can't be built.
    .do = Tell the developer.
code-json = The result can't be written as JSON.
    .do = Leave out --json, and tell the developer.
code-connect-unknown-credential = The integration doesn't ask for this credential.
    .do = Use the name that `host-harness inspect` shows.
code-connect-not-pending = What was kept isn't a connection in progress.
    .do = Connect again.
code-connect-grant-type = The integration doesn't allow this way to connect.
    .do = Connect by logging in.
code-connect-no-random = The system gives no random numbers.
    .do = Restart the machine, and try again.
code-connect-role = Only some roles may connect this integration.
    .do = Ask the team owner or admin to connect.
code-connect-plan = This integration needs another plan.
    .do = Ask the scheduling provider about the plan.
code-connect-not-registered = This way to connect isn't registered.
    .do = Ask the scheduling provider to register it.
code-connect-stopping = The program is ending.
    .do = Connect again.
code-store-no-random = The system gives no random numbers.
    .do = Restart the machine, and try again.
code-not-revoked = The org did not confirm that the grant is revoked.
    .do = Revoke it in the org, in the settings of the user who connected it.
code-disconnect-busy = The connection is in use.
    .do = Disconnect again in a minute.
code-store-directory = The data folder can't be used.
    .do = Check who can write there, or name another folder with --data.
code-store-locked = Another process is changing the data folder.
    .do = Wait until it ends, then try again.
code-store-not-private = Other users can read the data folder.
    .do = Make it yours alone, as the message says.
code-store-key-blank = The store's key is blank.
    .do = Set HARNESS_STORE_KEY to the key, or unset it.
code-store-key-format = The store's key isn't valid.
    .do = Use a key as `openssl rand -base64 32` prints it.
code-store-key-missing = The store's key is missing.
    .do = Put the key file back, or set HARNESS_STORE_KEY.
code-store-wrong-key = The key doesn't open the store.
    .do = Use the key that sealed it.
code-store-key-given = The store has two keys.
    .do = Use one of them.
code-store-key-same = The new key is the present one.
    .do = Give another key.
code-new-key-missing = The new key is missing.
    .do = Give it with --new-key-file.
code-store-damaged = The store is damaged.
    .do = Restore it from a backup, or connect the teams again.
code-store-newer-schema = A newer version wrote the store.
    .do = Use that version.
code-store-database = The store's database failed.
    .do = Check the disk and who can write there.
code-store-postgres = PostgreSQL can't be used.
    .do = Check the server, the URL and the role's rights.
code-store-url = The URL of PostgreSQL isn't valid.
    .do = Use the form postgres://user:password@host/database.
code-store-certificates = The certificates can't be read.
    .do = Check the file that sslrootcert names.
code-store-not-durable = PostgreSQL could lose confirmed data.
    .do = Set what the message names to on.
code-store-conflict = Another process changed the connection.
    .do = Try again.
code-store-unavailable = The store can't be reached.
    .do = Try again later.
code-store-unreadable = The stored connection can't be opened.
    .do = Disconnect the team, and connect it again.

## Errors: the component and the policy

code-cache-folder = The folder for compiled components can't be used.
    .do = Remove it; it is made again.
code-cache-not-private = Other users can change the folder for compiled components.
    .do = Remove it; it is made again.
code-compiler = The component can't be compiled.
    .do = Check memory and disk space, and try again.
code-engine = The WebAssembly engine failed.
    .do = Tell the developer.
code-not-wasm = The file isn't a component.
    .do = Use a file that `host-harness build` made.
code-core-module = The file isn't a component.
    .do = Use a file that `host-harness build` made.
code-component-invalid = The component isn't valid.
    .do = Get it again from its developer.
code-component-too-large = The component is too large.
    .do = Ask the integration's developer for a smaller build.
code-no-manifest = The component has no manifest.
    .do = Use a file that `host-harness build` made.
code-other-contract = The component is for another version of the contract.
    .do = Use a build for this version.
code-newer-contract = The component needs a newer version.
    .do = Update this program.
code-forbidden-imports = The component wants more than it can be given.
    .do = Do not use it, and ask the integration's developer.
code-policy-invalid = The policy isn't valid.
    .do = Correct the place that is named. docs/policy.md lists the keys.
code-policy-nothing-left = The policy allows the integration nothing.
    .do = Allow some of the routes that `host-harness inspect` lists.
code-no-workspace = There is nothing to build here.
    .do = Run this inside the project's folder, or name a component with --component.
code-compile-failed = The component doesn't compile.
    .do = Correct the errors in the log.
code-cargo-not-run = Cargo can't be run.
    .do = Install Rust from rustup.rs.
code-install-forbidden = Tools are missing, and installing them is forbidden.
    .do = Install what is named.
code-install-needs-root = Tools are missing, and installing them takes an administrator.
    .do = Install what is named.
code-install-by-hand = Tools are missing.
    .do = Install what is named.
code-install-failed = Tools could not be installed.
    .do = Install what is named.

## Errors: calls and the network

code-arguments-too-large = The booking and mapping are larger than one call may be, so nothing was sent.
    .do = Shorten the texts, or map fewer rows.
code-cpu-limit = The integration was stopped, because it computed for too long.
    .do = Tell the integration's developer.
code-wall-limit = The call was stopped, because it took too long.
    .do = Check whether the CRM responds, and try again.
code-memory-limit = The integration was stopped, because it needed too much memory.
    .do = Tell the integration's developer.
code-host-call-limit = The integration was stopped, because it made too many requests.
    .do = Tell the integration's developer.
code-credential-echo = The call was stopped, because a response contained the credential.
    .do = Tell the scheduling provider.
code-quarantined = The integration failed repeatedly, and is stopped for a while.
    .do = Wait a minute, and tell the integration's developer.
code-trap = The integration crashed.
    .do = Tell the integration's developer.
code-busy = Too many calls run at once.
    .do = Try again in a minute.
code-org-listen = The local org can't listen at its address.
    .do = Name a free port with --listen.
code-org-not-loopback = The local org listens on this machine only.
    .do = Name an address such as 127.0.0.1:0.
code-org-store = The local org's state file can't be used.
    .do = Name another file with --state.
code-visit-unreachable = The local org can't be reached.
    .do = Start it with `host-harness org`.
code-visit-stuck = The local org's pages led nowhere.
    .do = See what its page says.
code-live-check-incomplete = The org's app isn't named completely.
    .do = Set the three variables that `live-check --help` lists.
code-demo-failed = The demo did not end as it should.
    .do = Tell the developer.

## Errors: delivery

code-ledger-in-use = Another process serves this data folder.
    .do = Stop it first, or use another data folder.
code-ledger-file = A file of the ledger can't be used.
    .do = Check the folder's permissions.
code-ledger-wrong-key = The ledger was sealed with another key.
    .do = Provide the key that the data folder had.
code-ledger-no-random = No key can be made.
    .do = Check the operating system's random numbers.
code-ledger-newer-schema = A newer version wrote the ledger.
    .do = Use the newer program.
code-ledger-database = The ledger's database failed.
    .do = Check the disk or the database server, and try again.
code-ledger-damaged = The ledger has a row that can't be read.
    .do = Restore a backup, then run `host-harness recover`.
code-ledger-busy = The ledger is busy.
    .do = Try again in a moment.
code-ledger-stale = Another worker has taken the booking since.
code-no-such-delivery = There is no such delivery.
    .do = See `host-harness deliveries list`.
code-mapping-changed = Somebody else saved the mapping meanwhile.
    .do = Read it again, and save once more.
code-integration-invalid = The integration's name is invalid.
    .do = Write it as NAME or NAME.TARGET.
code-settings-invalid = The settings file is invalid.
    .do = See the keys in docs/operating.md.
code-metrics = Metrics can't be counted.
    .do = Tell the developer.
code-worker-needs-postgres = Workers share a PostgreSQL database.
    .do = Add --postgres URL.
code-no-such-team = There is no such team.
    .do = Make it with `host-harness team create`.
code-team-id = The team's id can't be used.
    .do = Choose one of 1 to 200 bytes.
code-no-such-token = There is no such token.
    .do = See `host-harness token list`.
code-no-such-hook = There is no hook for this service.
    .do = Expected timerex, calendly or calcom.
code-secret-too-short = The secret is too short.
    .do = Set one of at least 16 random bytes here and at the service.
code-secret-with-blanks = The secret begins or ends with white space.
    .do = Remove it here, and at the service if it is there too.
code-not-confirmed = Nothing was sent again.
    .do = Agree on the terminal, or add --yes.
code-mixed-connections = Some teams are connected to a test org, others to real ones.
    .do = Use a data folder for each.
code-several-clients = The teams were connected with different clients.
    .do = Set HARNESS_CLIENT_ID and HARNESS_CLIENT_SECRET, and let the other teams connect again.
code-ledger-url = PostgreSQL's URL can't be used.
    .do = Write it as postgres://user:password@host/database.
code-ledger-certificates = The certificates for PostgreSQL can't be used.
    .do = Check the file that sslrootcert names.
code-ledger-not-durable = PostgreSQL confirms what a crash can lose.
    .do = Set synchronous_commit and fsync to on.
code-store-key-not-given = The key isn't given.
    .do = Set HARNESS_STORE_KEY, the same on all machines.
code-alert-address-invalid = The address for alerts isn't a URL.
    .do = Set one that begins with https://.
code-alert-address-not-encrypted = Alerts would travel unencrypted.
    .do = Set an address that begins with https://.
code-alert-secret-invalid = The secret for alerts can't be used.
    .do = Set `whsec_` and 24 to 64 random bytes in Base64.
code-alert-client = Alerts can't be sent.
    .do = Tell the developer.
code-store-key-not-prepared = What else is sealed with the key could not follow, so nothing was changed.
    .do = Stop the server, and try again.
