use super::*;

/// A credential to put in place of [`ACME`]'s.
pub(crate) const API_KEY: &str = r#"
[credentials.acme]
kind = "api_key"
origin = "https://*.api.acme.example"
slot = { header = "x-acme-key" }
"#;

/// The manifest of an invented CRM, unlike Salesforce.
pub(crate) const ACME: &str = r#"
[plugin]
id = "acme-leads"
name = "Acme"
version = "2.0.0"
contract = "scheduling:crm@0.1.0"

[[egress]]
origin = "https://*.api.acme.example"

[[egress.routes]]
method = "GET"
path = "/v2/leads"
query = ["q"]
headers = ["accept"]

[[egress.routes]]
method = "POST"
path = "/v2/leads/{id}"
headers = ["accept", "content-type"]

[limits]
memory_bytes = 1
cpu_ms = 2
wall_ms = 3
http_requests = 4
request_bytes = 5
response_bytes = 6

[credentials.acme]
kind = "oauth2"
login_hosts = ["https://id.acme.example"]
authorization_path = "/oauth/authorize"
token_path = "/oauth/token"
slot = { header = "x-acme-token" }
origin_member = "api_base"
"#;

#[test]
fn the_plugins_own_manifest_is_accepted() {
    let manifest = Manifest::from_toml(include_str!("../../../../plugin/plugin.toml")).unwrap();
    assert_eq!(manifest.plugin.id.as_str(), "salesforce-leads");
    let CredentialSpec::OAuth2(salesforce) = &manifest.credentials["salesforce"] else { panic!("OAuth") };
    let (code, meaning) = salesforce.recognize(OAuthStage::Refresh, "invalid_grant", "Login hours", Some(400));
    assert_eq!((code.as_deref(), meaning), (Some("login-restricted"), Meaning::CrmAdmin));
}

#[test]
fn a_manifest_of_a_newer_contract_is_reported_as_such() {
    let newer = ACME.replacen("scheduling:crm@0.1.0", "scheduling:crm@0.1.1", 1);
    for (manifest, code) in [
        (newer.replacen("[limits]", "[limits]\nlater = 1", 1), "newer-contract"),
        (newer.replacen("slot =", "means_of_later = 1\nslot =", 1), "newer-contract"),
        (ACME.replacen("[limits]", "[limits]\nlater = 1", 1), "manifest-invalid"),
        ("[plugin]\ncontract = 1".to_owned(), "manifest-invalid"),
        ("no toml".to_owned(), "manifest-invalid"),
    ] {
        let error = Manifest::from_toml(&manifest).unwrap_err();
        assert_eq!(error.code(), code, "{manifest}: {error}");
    }
    assert!(Manifest::from_toml(&newer).is_ok(), "it has nothing new");
}

#[test]
fn an_omitted_key_has_its_usual_default() {
    let manifest = Manifest::from_toml(ACME).unwrap();
    let CredentialSpec::OAuth2(acme) = &manifest.credentials["acme"] else { panic!("OAuth") };
    assert_eq!(acme.grant_types, BTreeMap::from([(GrantType::AuthorizationCode, ())]).into_keys().collect());
    assert_eq!(acme.client_authentication, ClientAuthentication::ClientSecretPost);
    assert_eq!(acme.revocation, None);
    assert_eq!(manifest.plugin.plan, None);
}

#[test]
fn a_manifest_survives_json() {
    let manifest = Manifest::from_toml(include_str!("../../../../plugin/plugin.toml")).unwrap();
    let json = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
}

#[test]
fn an_error_names_the_line_and_the_remedy() {
    for (from, to, says) in [
        ("[limits]", "[limits]\nfuel = 1", vec!["line 23", "fuel", "unknown field"]),
        ("https://*.api", "https://a*.api", vec!["line 9", "origin", "leftmost part"]),
        ("https://*.api.acme.example", "http://127.0.0.1:4000", vec!["only `https` is allowed"]),
        ("https://*.api.acme.example", "https://*.api.acme.example/v2", vec!["end it after the host"]),
        ("\"/v2/leads\"", "\"v2/leads\"", vec!["a path starts with `/`"]),
        ("\"GET\"", "\"CONNECT\"", vec!["CONNECT", "`GET`"]),
        ("x-acme-token", "host", vec!["controls the connection"]),
        ("acme-leads", "Acme Leads", vec!["lower-case letters"]),
        ("\"/oauth/token\"", "\"/oauth/token?x=1\"", vec!["without query"]),
        ("oauth2", "basic", vec!["basic", "oauth2"]),
        ("wall_ms = 3", "wall_ms = -3", vec!["line 25"]),
        ("wall_ms = 3", "wall_ms = 0", vec!["limits.wall_ms", "greater than 0"]),
        ("\"/v2/leads/{id}\"", "\"/v2/{all*}\"", vec!["a path starts with `/`"]),
        ("\"content-type\"", "\"authorization\"", vec!["only the host sets"]),
        ("query = [\"q\"]", "response_headers = [\"set-cookie\"]", vec!["authentication"]),
        ("query = [\"q\"]", "response_types = [\"text/*\"]", vec!["without `*`"]),
        ("query = [\"q\"]", "query = [\"\"]", vec!["egress[0].routes[0].query", "1 to 64"]),
        ("\"content-type\"", "\"x-acme-token\"", vec!["credentials.acme.slot", "x-acme-token"]),
        ("\"https://id.acme.example\"", "", vec!["credentials.acme.login_hosts"]),
        ("origin_member = \"api_base\"", "", vec!["credentials.acme.origin_member", "exactly one origin"]),
        ("name = \"Acme\"", "name = \" \"", vec!["plugin.name", "blank"]),
        ("version = \"2.0.0\"", "", vec!["missing field `version`"]),
        ("slot =", "test_override = 1\nslot =", vec!["unknown field `test_override`"]),
        ("[limits]", "[[test_override]]\n[limits]", vec!["unknown field `test_override`"]),
        ("slot =", "scopes = [\"a b\"]\nslot =", vec!["credentials.acme.scopes"]),
        ("slot =", "idle_days = 0\nslot =", vec!["credentials.acme.idle_days"]),
        (
            "slot =",
            "authorization_parameters = { prompt = \" \" }\nslot =",
            vec!["credentials.acme.authorization_parameters.prompt", "blank"],
        ),
        (
            "slot =",
            "attributes = { t = { member = \"refresh_token\" } }\nslot =",
            vec!["attributes.t.member", "secret"],
        ),
        ("slot =", "incurable = [\" \"]\nslot =", vec!["credentials.acme.incurable", "match all"]),
        (
            "slot =",
            "refusals = [{ error = [\"x\"], means = \"ended\" }, { text = \" \", means = \"team\" }]\nslot =",
            vec!["credentials.acme.refusals[1]", "match all"],
        ),
        ("slot =", "refusals = [{ error = [\"x\"], means = \"gone\" }]\nslot =", vec!["unknown variant `gone`"]),
    ] {
        assert!(ACME.contains(from), "{from}");
        let error = Manifest::from_toml(&ACME.replacen(from, to, 1)).unwrap_err();
        let text = crate::full_message(&error);
        for part in says {
            assert!(text.contains(part), "{to}: {part} is not in: {text}");
        }
        assert!(error.code().starts_with("manifest-"));
    }
}

#[test]
fn a_parameter_of_the_authorization_request_is_not_one_of_the_hosts() {
    let with = |name: &str| {
        let parameters = format!("authorization_parameters = {{ \"{name}\" = \"x\" }}\nslot =");
        Manifest::from_toml(&ACME.replacen("slot =", &parameters, 1))
    };
    for name in ["prompt", "display", "access_type", "audience", "login_hint", "max_age", "p2"] {
        assert!(with(name).is_ok(), "{name}");
    }
    for name in [
        "client_id",
        "client_secret",
        "response_type",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "request",
        "request_uri",
        "response_mode",
        "claims",
        "authorization_details",
        "client_assertion",
        "client_assertion_type",
        "",
        "State",
        "state ",
        "a-b",
        "a&b",
        "2p",
        "_a",
        "é",
        &"a".repeat(65),
    ] {
        let error = with(name).unwrap_err();
        assert!(crate::full_message(&error).contains("only the host sends"), "{name}: {error}");
    }
}

#[test]
fn an_api_key_has_an_origin_and_a_slot_and_nothing_of_oauth() {
    let before = ACME.split("[credentials").next().unwrap();
    let manifest = Manifest::from_toml(&format!("{before}{API_KEY}")).unwrap();
    let CredentialSpec::ApiKey(acme) = &manifest.credentials["acme"] else { panic!("an API key") };
    assert_eq!(acme.origin.to_string(), "https://*.api.acme.example");
    assert_eq!(manifest.credentials["acme"].slot().header.name(), "x-acme-key");
    let json = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);

    for (from, to, says) in [
        ("https://*.api", "https://*", vec!["credentials.acme.origin", "`egress`"]),
        ("https://*.api.acme", "https://api.other", vec!["credentials.acme.origin", "`egress`"]),
        ("slot =", "scopes = [\"all\"]\nslot =", vec!["unknown field `scopes`"]),
        ("slot =", "token_path = \"/token\"\nslot =", vec!["unknown field `token_path`"]),
        ("slot =", "attributes = { a = { member = \"b\" } }\nslot =", vec!["unknown field `attributes`"]),
        ("origin =", "#", vec!["missing field `origin`"]),
        ("x-acme-key", "content-length", vec!["controls the connection"]),
        ("slot = { ", "slot = { scheme = \"a b\", ", vec!["credentials.acme.slot.scheme"]),
    ] {
        assert!(API_KEY.contains(from), "{from}");
        let error = Manifest::from_toml(&format!("{before}{}", API_KEY.replacen(from, to, 1))).unwrap_err();
        let text = crate::full_message(&error);
        for part in says {
            assert!(text.contains(part), "{to}: {part} is not in: {text}");
        }
    }
}

#[test]
fn two_rules_for_one_origin_are_refused() {
    let twice = ACME.replace(
        "[limits]",
        "[[egress]]\norigin = \"https://*.api.acme.example\"\nroutes = [{ method = \"PUT\", path = \"/\" }]\n[limits]",
    );
    let error = Manifest::from_toml(&twice).unwrap_err();
    assert!(crate::full_message(&error).contains("egress[1].origin"), "{error}");
}

#[test]
fn a_rule_has_routes_each_once() {
    let none = ACME.replacen(
        "origin = \"https://*.api.acme.example\"",
        "origin = \"https://*.api.acme.example\"\nroutes = []",
        1,
    );
    let none = none.split("[[egress.routes]]").next().unwrap().to_owned()
        + none.split_once("[limits]").map(|(_, rest)| format!("[limits]{rest}")).unwrap().as_str();
    for (text, says) in [
        (none, "egress[0].routes"),
        (
            ACME.replace("method = \"POST\"\npath = \"/v2/leads/{id}\"", "method = \"GET\"\npath = \"/v2/leads\""),
            "routes[0] already has",
        ),
    ] {
        let error = Manifest::from_toml(&text).unwrap_err();
        assert!(crate::full_message(&error).contains(says), "{error}");
    }
    // Names of parameters make no difference.
    let twice = format!(
        "{{ method = \"GET\", path = \"/a/{{{}}}\" }}, {{ method = \"GET\", path = \"/a/{{{}}}\" }}",
        "id", "key"
    );
    let start = ACME.split("[[egress.routes]]").next().unwrap();
    let end = ACME.split_once("[limits]").unwrap().1;
    let error = Manifest::from_toml(&format!("{start}routes = [{twice}]\n[limits]{end}")).unwrap_err();
    assert!(crate::full_message(&error).contains("routes[0] already has"), "{error}");
}

#[test]
fn a_manifest_that_is_too_large_is_not_parsed() {
    let error = Manifest::from_toml(&format!("{ACME}\n# {}", "x".repeat(MAX_BYTES))).unwrap_err();
    assert_eq!(error.code(), "manifest-too-large");
}
