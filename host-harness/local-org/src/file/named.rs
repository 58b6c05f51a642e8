//! The built-in orgs of `orgs/`.

use super::{FileError, OrgFile};

/// Names and files, the default first.
const ORGS: [(&str, &str); 16] = [
    ("enterprise", include_str!("../../orgs/enterprise.toml")),
    ("professional-without-api", include_str!("../../orgs/professional-without-api.toml")),
    ("developer-state-country", include_str!("../../orgs/developer-state-country.toml")),
    ("person-accounts", include_str!("../../orgs/person-accounts.toml")),
    ("record-types", include_str!("../../orgs/record-types.toml")),
    ("many-fields", include_str!("../../orgs/many-fields.toml")),
    ("rotation-30-days", include_str!("../../orgs/rotation-30-days.toml")),
    ("admin-approved-only", include_str!("../../orgs/admin-approved-only.toml")),
    ("blocked-app", include_str!("../../orgs/blocked-app.toml")),
    ("uninstalled-app", include_str!("../../orgs/uninstalled-app.toml")),
    ("uninstalled-external-client-app", include_str!("../../orgs/uninstalled-external-client-app.toml")),
    ("address-not-listed", include_str!("../../orgs/address-not-listed.toml")),
    ("duplicates-alert", include_str!("../../orgs/duplicates-alert.toml")),
    ("duplicates-block", include_str!("../../orgs/duplicates-block.toml")),
    ("validation-rules", include_str!("../../orgs/validation-rules.toml")),
    ("hidden-fields", include_str!("../../orgs/hidden-fields.toml")),
];

impl OrgFile {
    /// The default org: a new Enterprise org with some custom fields.
    ///
    /// # Errors
    /// [`FileError::Syntax`] only if the built-in file is broken, which a test rules out.
    pub fn enterprise() -> Result<Self, FileError> {
        let [(_, text), ..] = ORGS;
        Self::parse(text)
    }

    /// A built-in org by name; `None` if the name is unknown.
    pub fn named(name: &str) -> Option<Result<Self, FileError>> {
        ORGS.iter().find(|(known, _)| *known == name).map(|(_, text)| Self::parse(text))
    }

    /// Names and descriptions of the built-in orgs, the default first.
    pub fn built_in() -> impl Iterator<Item = (&'static str, String)> {
        // A test checks that every file parses.
        ORGS.iter().map(|(name, text)| (*name, Self::parse(text).map(|file| file.description).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    #[test]
    fn every_built_in_org_is_consistent_and_described() {
        for (name, description) in OrgFile::built_in() {
            let file = OrgFile::named(name).unwrap().unwrap();
            assert!(!description.is_empty(), "{name}");
            Schema::of_leads(&file).unwrap();
            let again = OrgFile::parse(&toml::to_string(&file).unwrap()).unwrap();
            assert_eq!(again.fields, file.fields, "{name} survives writing and reading");
        }
        assert!(OrgFile::named("enterprize").is_none());
    }

    #[test]
    fn unknown_keys_are_errors() {
        for text in ["nmae = 'x'", "[app]\nroation = true", "[[fields]]\nname = 'A__c'\ntype = 'string'\nlenght = 5"] {
            assert!(matches!(OrgFile::parse(text), Err(FileError::Syntax(_))), "{text}");
        }
    }
}
