### What people read about the codes that the host finds in a mapping. The calendar owner takes the steps `-do-`, the CRM's
### admin those that are `-admin-`.
### Words: `docs/glossary.md`.

question-unknown-what = A row uses a question that the form doesn't have.
question-unknown-why = The question was removed from the form, or its ID has a typo.
question-unknown-do-1 = Choose another question in that row, or remove the row.

attribute-unknown-what = A row uses booking information that doesn't exist.
attribute-unknown-why = The name has a typo, or this version doesn't have it.
attribute-unknown-do-1 = Choose another item from the list in that row.

template-invalid-what = A template has a mistake.
template-invalid-why = Its braces don't match. Write placeholders as {"{"}guest.name{"}"}. To write a brace itself, double it: {"{{"} or {"}}"}.
template-invalid-do-1 = Correct the template.

option-invalid-what = An option of the mapping isn't valid.
option-invalid-why = The integration doesn't have the chosen option or value. It may have been updated after the mapping was saved.
option-invalid-do-1 = Open the mapping's options, choose again, and save.
option-invalid-do-2 = If the settings page offers no valid choice, tell the scheduling provider.

value-not-listed-what = A value isn't in the row's value table, so it is sent unchanged.
value-not-listed-why = A choice was added to the form or reworded after the table was saved.
value-not-listed-do-1 = Add the value to the row's value table. If it should be sent unchanged, no action is needed.

value-not-offered-what = A row's value table lists a value that the question doesn't offer.
value-not-offered-why = A choice was removed from the form or reworded, or the table has a typo.
value-not-offered-do-1 = Word the value in the table like the choice in the form, or remove it from the table.

currency-not-carried-what = The amount of a payment was saved without its currency.
currency-not-carried-why = The mapping has a row for the amount and none for the currency, so the CRM takes the amount for its own currency.
currency-not-carried-do-1 = Add a row for the payment's currency, or write both with a template into a text field.

field-unknown-what = A row writes to a field that can't be written in the CRM.
field-unknown-why = The usual reasons: the name has a typo, the field was deleted or renamed, or the connected user can't edit it.
field-unknown-do-1 = Choose another field in that row, or remove the row.
field-unknown-admin-1 = If the field exists, let the connected user edit it in its field-level security: Setup > Object Manager > Lead > Fields & Relationships.

body-value-unreadable-what = A part of the booking couldn't be read.
body-value-unreadable-why = The scheduling service sent it in another form than before. The rest of the booking is used.
body-value-unreadable-do-1 = Check the record in the CRM, and add what is missing.
body-value-unreadable-do-2 = If it keeps happening, send the message to the scheduling provider.
