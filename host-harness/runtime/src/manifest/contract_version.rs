//! Versions of the contract, and which of them a host of this library runs (`world.wit`, "Growth").

use std::fmt;

use serde::{Deserialize, Serialize};

/// A version of the contract, written `scheduling:crm@0.1.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = r"^scheduling:crm@(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$")))]
#[serde(try_from = "String", into = "String")]
pub struct ContractVersion {
    major: u16,
    minor: u16,
    patch: u16,
}

/// The text is not a [`ContractVersion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must name the oldest version of the contract that the plugin needs, for example `scheduling:crm@0.1.0`")]
pub struct InvalidContractVersion;

impl ContractVersion {
    /// The newest version that this library supports.
    pub const SUPPORTED: Self = Self { major: 0, minor: 1, patch: 0 };

    /// Parses `0.1.0`.
    pub(crate) fn of_numbers(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| {
            // Leading zeros and signs would give one version several names.
            (number == "0" || number.starts_with(|c: char| c.is_ascii_digit() && c != '0'))
                .then(|| number.parse::<u16>().ok())
                .flatten()
        });
        let (major, minor, patch) = (numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(Self { major, minor, patch })
    }

    /// Whether it differs from [`Self::SUPPORTED`] by what was added only.
    pub(crate) fn is_compatible(self) -> bool {
        (self.major, self.minor) == (Self::SUPPORTED.major, Self::SUPPORTED.minor)
    }
}

impl fmt::Display for ContractVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scheduling:crm@{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl TryFrom<String> for ContractVersion {
    type Error = InvalidContractVersion;

    fn try_from(text: String) -> Result<Self, InvalidContractVersion> {
        text.strip_prefix("scheduling:crm@").and_then(Self::of_numbers).ok_or(InvalidContractVersion)
    }
}

impl From<ContractVersion> for String {
    fn from(version: ContractVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_spelling() {
        let read = |text: &str| ContractVersion::try_from(text.to_owned()).ok();
        for text in ["scheduling:crm@0.1.0", "scheduling:crm@0.1.12", "scheduling:crm@10.0.0"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "0.1.0",
            "scheduling:crm@0.1",
            "scheduling:crm@0.1.0.0",
            "scheduling:crm@0.01.0",
            "scheduling:crm@0.1.+1",
            "other:crm@0.1.0",
            "scheduling:crm@0.1.0-rc1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(ContractVersion::SUPPORTED.to_string(), crate::CONTRACT);
    }
}
