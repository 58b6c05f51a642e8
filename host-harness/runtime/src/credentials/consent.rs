//! What a person agreed to when they connected. A plugin that asks for more later gets nothing until they connect again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    manifest::{Attribute, CredentialSpec, EgressRule, Identifier, Slot},
    origin::Origin,
    policy::Permissions,
};

/// The permissions that a plugin asked for when a person connected it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    egress: Vec<EgressRule>,
    scopes: BTreeSet<String>,
    /// What the plugin may read of the token response.
    attributes: BTreeMap<Identifier, Attribute>,
    /// Which of them fix the account.
    account: Vec<Identifier>,
    /// Where the credential goes in requests.
    slot: Slot,
    /// Where its tokens and the client's secret go, at the login host.
    endpoints: BTreeSet<String>,
    /// Whether one of the grant's addresses is that of a test override.
    by_test_override: bool,
}

/// Why a plugin cannot use a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dissent {
    /// The plugin asks for more.
    Outgrown,
    /// The grant was made through a test override, and is used without it, or the other way round.
    OtherSide,
}

impl Consent {
    /// What a manifest asks for. `addresses` are the login host and the origin of a grant.
    pub(super) fn asked<'o>(
        permissions: &Permissions,
        spec: &CredentialSpec,
        addresses: impl IntoIterator<Item = &'o Origin>,
    ) -> Self {
        let (scopes, attributes, account, endpoints) = match spec {
            CredentialSpec::OAuth2(spec) => {
                let revocation = spec.revocation.as_ref().map(|revocation| &revocation.path);
                let endpoints = std::iter::once(&spec.token_path).chain(revocation);
                (
                    spec.scopes.iter().cloned().collect(),
                    spec.attributes.clone(),
                    spec.account.clone(),
                    endpoints.map(|path| path.as_str().to_owned()).collect(),
                )
            }
            CredentialSpec::ApiKey(_) => Default::default(),
        };
        Self {
            egress: permissions.asked().to_vec(),
            scopes,
            attributes,
            account,
            slot: spec.slot().clone(),
            endpoints,
            by_test_override: addresses.into_iter().any(|origin| permissions.is_overridden(origin)),
        }
    }

    /// Whether this covers what is asked for now.
    pub(super) fn covers(&self, now: &Self) -> Result<(), Dissent> {
        if self.by_test_override != now.by_test_override {
            return Err(Dissent::OtherSide);
        }
        let is_agreed = |asked: &EgressRule| self.egress.iter().any(|agreed| agreed.covers(asked));
        // Route by route: they may have moved from one rule to another.
        let each = |rule: &EgressRule| rule.each().all(|asked| is_agreed(&asked));
        if now.egress.iter().all(each)
            && now.scopes.is_subset(&self.scopes)
            && now.attributes.iter().all(|(name, attribute)| self.attributes.get(name) == Some(attribute))
            && now.account == self.account
            && now.slot == self.slot
            && now.endpoints.is_subset(&self.endpoints)
        {
            Ok(())
        } else {
            Err(Dissent::Outgrown)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        manifest::{Manifest, tests::ACME},
        policy::Policy,
    };

    fn asked(manifest: &str) -> Consent {
        let manifest = Manifest::from_toml(manifest).unwrap();
        let permissions = Permissions::new(&manifest, &Policy::default()).unwrap();
        Consent::asked(&permissions, &manifest.credentials["acme"], [&"https://id.acme.example".parse().unwrap()])
    }

    #[test]
    fn whatever_grows_needs_a_new_consent_and_what_shrinks_does_not() {
        let slot = "slot = { header = \"x-acme-token\" }";
        let full = ACME.replace(
            slot,
            &format!("scopes = [\"read\", \"write\"]\nattributes = {{ id = {{ member = \"id\" }} }}\n{slot}"),
        );
        for (from, to) in [
            ("https://*.api.acme.example", "https://*.acme.example"),
            ("path = \"/v2/leads\"", "path = \"/v2/all\""),
            ("path = \"/v2/leads\"", "path = \"/v2/{object}\""),
            ("method = \"GET\"", "method = \"DELETE\""),
            ("query = [\"q\"]", "query = [\"q\", \"all\"]"),
            ("headers = [\"accept\"]", "headers = [\"accept\", \"x-more\"]"),
            ("headers = [\"accept\"]", "headers = [\"accept\"]\nresponse_headers = [\"date\"]"),
            ("headers = [\"accept\"]", "headers = [\"accept\"]\nresponse_types = [\"text/html\"]"),
            ("[limits]", "[[egress.routes]]\nmethod = \"GET\"\npath = \"/v2/more\"\n[limits]"),
            ("[\"read\", \"write\"]", "[\"read\", \"write\", \"admin\"]"),
            ("{ id = { member = \"id\" } }", "{ id = { member = \"id\" }, name = { member = \"name\" } }"),
            ("{ id = { member = \"id\" } }", "{ id = { member = \"other\" } }"),
            ("{ id = { member = \"id\" } }", "{ id = { member = \"id\", path_segment_from_end = 1 } }"),
            ("attributes =", "account = [\"id\"]\nattributes ="),
            ("x-acme-token", "x-acme-other"),
            ("token_path = \"/oauth/token\"", "token_path = \"/oauth/other\""),
            ("attributes =", "revocation = { path = \"/oauth/revoke\" }\nattributes ="),
        ] {
            assert!(full.contains(from), "{from}");
            let grown = full.replacen(from, to, 1);
            assert_eq!(asked(&full).covers(&asked(&grown)), Err(Dissent::Outgrown), "{to}");
        }
        for (from, to) in [
            ("https://*.api.acme.example", "https://one.api.acme.example"),
            ("query = [\"q\"]\n", ""),
            ("headers = [\"accept\", \"content-type\"]", "headers = [\"accept\"]"),
            ("[\"read\", \"write\"]", "[\"read\"]"),
            ("attributes = { id = { member = \"id\" } }\n", ""),
            ("version = \"2.0.0\"", "version = \"3.0.0\""),
            ("wall_ms = 3", "wall_ms = 9"),
        ] {
            assert!(full.contains(from), "{from}");
            let same = full.replacen(from, to, 1);
            assert_eq!(asked(&full).covers(&asked(&same)), Ok(()), "{to}");
        }
    }
}
