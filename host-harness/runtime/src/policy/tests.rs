use proptest::prelude::*;
use url::Url;

use super::*;
use crate::manifest::{
    CredentialSpec, EgressRule, Manifest, Route,
    tests::{ACME, API_KEY},
};

fn acme() -> Manifest {
    Manifest::from_toml(ACME).unwrap()
}

fn permissions(policy: &str) -> Result<Permissions, PolicyError> {
    Permissions::new(&acme(), &Policy::from_toml(policy)?)
}

fn origin(text: &str) -> Origin {
    text.parse().unwrap()
}

#[test]
fn without_a_policy_the_manifest_applies() {
    assert_eq!(permissions("").unwrap().manifest(), &acme());
    assert_eq!(Permissions::new(&acme(), &Policy::default()).unwrap().manifest(), &acme());
}

#[test]
fn a_policy_narrows_origins_methods_login_hosts_and_limits() {
    let permissions = permissions(
        r#"
        origins = ["https://*.eu.api.acme.example", "https://one.api.acme.example", "https://other.example"]
        methods = ["GET", "DELETE"]
        login_hosts = ["https://*.acme.example"]
        limits = { http_requests = 2, wall_ms = 1_000_000 }
        "#,
    )
    .unwrap();
    let rules = &permissions.manifest().egress;
    assert_eq!(
        rules.iter().map(|rule| rule.origin.to_string()).collect::<Vec<_>>(),
        ["https://one.api.acme.example", "https://*.eu.api.acme.example"],
    );
    assert!(rules.iter().flat_map(|rule| &rule.routes).all(|route| route.method == Method::Get));
    assert_eq!(permissions.limits().http_requests, 2);
    assert_eq!(permissions.limits().wall_ms, acme().limits.wall_ms, "a larger limit has no effect");
    assert!(permissions.admit_origin("https://x.eu.api.acme.example/").is_ok());
    assert_eq!(permissions.admit_origin("https://x.api.acme.example").unwrap_err().code(), "origin-not-allowed");
    assert_eq!(permissions.admit_origin("https://other.example").unwrap_err().code(), "origin-not-allowed");
    let Some(CredentialSpec::OAuth2(acme)) = permissions.credential("acme") else { panic!("OAuth") };
    assert!(permissions.admit_login_host(acme, "https://id.acme.example").is_ok());
    assert!(permissions.admit_login_host(acme, "https://other.acme.example").is_err());
}

#[test]
fn a_policy_narrows_by_route_as_inspect_prints_it() {
    let of = |policy: &str| {
        let rules = permissions(policy)?.manifest().egress.clone();
        Ok::<_, PolicyError>(rules.iter().flat_map(|rule| &rule.routes).map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(of("").unwrap(), ["GET /v2/leads", "POST /v2/leads/{id}"]);
    assert_eq!(of("routes = [\"GET /v2/leads\", \"GET /v2/more\"]").unwrap(), ["GET /v2/leads"]);
    for nothing in
        ["routes = []", "routes = [\"POST /v2/leads\"]", "routes = [\"GET /v2/leads\"]\nmethods = [\"POST\"]"]
    {
        assert_eq!(of(nothing).unwrap_err().code(), "policy-nothing-left", "{nothing}");
    }
}

#[test]
fn a_route_that_a_policy_removes_is_not_replaced_by_a_wider_one() {
    let manifest = ACME.replacen(
        "path = \"/v2/leads/{id}\"",
        "path = \"/v2/leads/{id}\"\n[[egress.routes]]\nmethod = \"POST\"\npath = \"/v2/leads/admin\"",
        1,
    );
    let manifest = Manifest::from_toml(&manifest).unwrap();
    let origin = "https://one.api.acme.example".parse().unwrap();
    for (policy, admin, other) in [
        ("", Some("/v2/leads/admin"), Some("/v2/leads/{id}")),
        ("routes = [\"POST /v2/leads/{id}\"]", None, Some("/v2/leads/{id}")),
        ("routes = [\"POST /v2/leads/admin\"]", Some("/v2/leads/admin"), None),
    ] {
        let permissions = Permissions::new(&manifest, &Policy::from_toml(policy).unwrap()).unwrap();
        let route = |path: &str| permissions.route(&origin, Method::Post, path).map(|route| route.path.as_str());
        assert_eq!((route("/v2/leads/admin"), route("/v2/leads/7")), (admin, other), "{policy}");
    }
}

#[test]
fn an_api_key_goes_only_where_manifest_and_policy_allow() {
    let manifest = Manifest::from_toml(&format!("{}{API_KEY}", ACME.split("[credentials").next().unwrap())).unwrap();
    let admits = |policy: &str, origin: &str| {
        let permissions = Permissions::new(&manifest, &Policy::from_toml(policy).unwrap()).unwrap();
        let Some(CredentialSpec::ApiKey(acme)) = permissions.credential("acme") else { panic!("an API key") };
        permissions.admit_key_origin(acme, origin).map_err(|error| error.to_string())
    };
    let narrowed = "origins = [\"https://one.api.acme.example\"]";
    let overridden =
        "test_override = [{ pattern = \"https://*.api.acme.example\", origin = \"http://127.0.0.1:4000\" }]";
    assert!(admits("", "https://two.api.acme.example/").is_ok());
    assert!(admits(narrowed, "https://one.api.acme.example").is_ok());
    assert!(admits(overridden, "http://127.0.0.1:4000").is_ok());
    assert!(admits("", "http://127.0.0.1:4000").is_err());
    let refused = admits(narrowed, "https://two.api.acme.example").unwrap_err();
    assert!(refused.contains("allowed are `https://one.api.acme.example`"), "{refused}");

    let elsewhere = Policy::from_toml("origins = [\"https://other.example\"]").unwrap();
    assert_eq!(Permissions::new(&manifest, &elsewhere).unwrap_err().code(), "policy-nothing-left");
}

#[test]
fn an_impossible_policy_is_refused_with_the_reason() {
    for (policy, code, says) in [
        ("origins = [\"https://other.example\"]", "policy-nothing-left", "https://*.api.acme.example"),
        ("methods = [\"DELETE\"]", "policy-nothing-left", "methods"),
        ("login_hosts = []", "policy-nothing-left", "https://id.acme.example"),
        ("limits = { cpu_ms = 0 }", "policy-zero-limit", "cpu_ms"),
        ("limits = { fuel = 1 }", "policy-invalid", "fuel"),
        ("egress = []", "policy-invalid", "unknown field `egress`"),
        ("proxy = \"http://user:pass@proxy.test:3128\"", "policy-invalid", "without user information"),
        ("proxy = \"socks5://proxy.test:3128\"", "policy-invalid", "http://host:port"),
        ("allowed_private_ranges = [\"127.0.0.0/8\"]", "policy-invalid", "10.0.0.0/8"),
        ("allowed_private_ranges = [\"0.0.0.0/0\"]", "policy-invalid", "10.0.0.0/8"),
        ("allowed_private_ranges = [\"169.254.169.254/32\"]", "policy-invalid", "10.0.0.0/8"),
        ("nat64_prefixes = [\"2001:db8:64::/95\"]", "policy-invalid", "is not a NAT64 prefix"),
        (
            "test_override = [{ pattern = \"https://*.api.acme.example\", origin = \"https://evil.example\" }]",
            "policy-invalid",
            "must be on loopback",
        ),
        (
            "test_override = [{ pattern = \"https://*.api.acme.exmaple\", origin = \"http://127.0.0.1:4000\" }]",
            "policy-test-override-unused",
            "https://*.api.acme.example",
        ),
    ] {
        let error = permissions(policy).unwrap_err();
        assert_eq!(error.code(), code, "{policy}");
        let text = crate::full_message(&error);
        assert!(text.contains(says), "{says} is not in: {text}");
    }
}

#[test]
fn a_test_override_replaces_what_its_pattern_matches_and_nothing_else() {
    let permissions = permissions(
        r#"
        [[test_override]]
        pattern = "https://*.api.acme.example"
        origin = "http://127.0.0.1:4000"
        "#,
    )
    .unwrap();
    let target = |text: &str| permissions.target(&Url::parse(text).unwrap()).unwrap().to_string();
    assert_eq!(target("https://a.b.api.acme.example/v2/x?q=1"), "http://127.0.0.1:4000/v2/x?q=1");
    assert_eq!(target("https://id.acme.example/oauth/token"), "https://id.acme.example/oauth/token");
    assert_eq!(permissions.test_overrides().len(), 1);
    assert_eq!(permissions.admit_origin("http://127.0.0.1:4000").unwrap(), origin("http://127.0.0.1:4000"));
    for other in ["http://127.0.0.1:4001", "http://localhost:4000", "http://[::1]:4000"] {
        assert!(permissions.admit_origin(other).is_err(), "{other}");
    }
    assert_eq!(
        permissions.rules_for(&origin("http://127.0.0.1:4000")).collect::<Vec<_>>(),
        permissions.rules_for(&origin("https://one.api.acme.example")).collect::<Vec<_>>(),
        "the same routes",
    );
    let Some(CredentialSpec::OAuth2(acme)) = permissions.credential("acme") else { panic!("OAuth") };
    assert!(permissions.admit_login_host(acme, "http://127.0.0.1:4000").is_err(), "it stands in for the API only");
}

#[test]
fn without_a_test_override_loopback_can_never_be_the_connected_origin() {
    assert!(permissions("").unwrap().admit_origin("http://127.0.0.1:4000").is_err());
}

#[test]
fn a_range_of_a_policy_contains_private_addresses_only() {
    let policy = Policy::from_toml("allowed_private_ranges = [\"10.20.0.0/16\", \"fd00::/8\"]").unwrap();
    assert!(policy.allowed_private_ranges[0].contains("10.20.1.1".parse().unwrap()));
    assert!(!policy.allowed_private_ranges[0].contains("10.21.1.1".parse().unwrap()));
}

fn hosts() -> impl Strategy<Value = String> {
    proptest::collection::vec("[ab]", 2..5).prop_map(|labels| labels.join("."))
}

fn patterns() -> impl Strategy<Value = OriginPattern> {
    (any::<bool>(), hosts())
        .prop_map(|(wildcard, host)| format!("https://{}{host}", if wildcard { "*." } else { "" }).parse().unwrap())
}

fn methods() -> impl Strategy<Value = BTreeSet<Method>> {
    proptest::sample::subsequence(vec![Method::Get, Method::Post, Method::Patch], 1..=3)
        .prop_map(|methods| methods.into_iter().collect())
}

fn permits(rules: &[EgressRule], origin: &Origin, method: Method) -> bool {
    rules.iter().any(|rule| rule.origin.matches(origin) && rule.routes.iter().any(|route| route.method == method))
}

proptest! {
    #[test]
    fn permissions_are_what_both_manifest_and_policy_allow(
        rules in proptest::collection::vec((patterns(), methods()), 1..4),
        origins in proptest::option::of(proptest::collection::vec(patterns(), 0..4)),
        allowed in proptest::option::of(methods()),
        limit in proptest::option::of(1_u64..2_000),
        host in hosts(),
        method in proptest::sample::select(vec![Method::Get, Method::Post, Method::Patch]),
    ) {
        let mut manifest = acme();
        let mut template = manifest.egress.pop().unwrap();
        let route = template.routes.pop().unwrap();
        manifest.egress = rules
            .into_iter()
            .map(|(origin, methods)| {
                template.origin = origin;
                template.routes = methods.into_iter().map(|method| Route { method, ..route.clone() }).collect();
                template.clone()
            })
            .collect();
        manifest.limits.cpu_ms = 1_000;
        let policy = Policy {
            origins: origins.clone(),
            methods: allowed.clone(),
            limits: PolicyLimits { cpu_ms: limit, ..PolicyLimits::default() },
            ..Policy::default()
        };
        let origin: Origin = format!("https://{host}").parse().unwrap();
        let both = permits(&manifest.egress, &origin, method)
            && origins.is_none_or(|origins| origins.iter().any(|pattern| pattern.matches(&origin)))
            && allowed.is_none_or(|allowed| allowed.contains(&method));
        match Permissions::new(&manifest, &policy) {
            Ok(permissions) => {
                prop_assert_eq!(permits(&permissions.manifest().egress, &origin, method), both);
                prop_assert_eq!(permissions.limits().cpu_ms, limit.unwrap_or(1_000).min(1_000));
            }
            Err(_) => prop_assert!(!both),
        }
    }
}
