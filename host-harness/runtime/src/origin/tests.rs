use proptest::prelude::*;

use super::*;

fn origin(text: &str) -> Origin {
    text.parse().unwrap()
}

fn pattern(text: &str) -> OriginPattern {
    text.parse().unwrap()
}

#[test]
fn an_origin_is_https_at_a_name_or_http_on_loopback() {
    for (text, normal) in [
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com/", "https://acme.my.salesforce.com"),
        ("https://ACME.My.Salesforce.com:443/", "https://acme.my.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce.com", "https://acme--dev.sandbox.my.salesforce.com"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("http://localhost/", "http://localhost:80"),
        ("http://[::1]:4000", "http://[::1]:4000"),
    ] {
        assert_eq!(origin(text).to_string(), normal);
        assert_eq!(origin(normal), origin(text));
    }
}

#[test]
fn a_text_that_parsers_may_read_as_another_host_is_not_an_origin() {
    use OriginError::*;
    for (text, error) in [
        ("", NotAUrl),
        ("acme.example.com", NotAUrl),
        ("//acme.example.com", NotAUrl),
        ("https:acme.example.com", NotAUrl),
        ("https:///acme.example.com", NotAUrl),
        ("https://", NotAUrl),
        ("https:\\\\acme.example.com", NotAUrl),
        ("https://acme.example.com\\@evil.test", NotAUrl),
        ("https://acme.example.com\t", NotAUrl),
        (" https://acme.example.com", NotAUrl),
        ("https://acme.exa\nmple.com", NotAUrl),
        ("https://acme.example.com@evil.test", UserInfo),
        ("https://@acme.example.com", UserInfo),
        ("https://user:pass@acme.example.com", UserInfo),
        ("https://acme.example.com#@evil.test", Fragment),
        ("https://acme.example.com/#", Fragment),
        ("https://acme.example.com:8443", Port),
        ("https://acme.example.com:80", Port),
        ("https://acme.example.com:99999", Port),
        ("https://127.0.0.1", Address),
        ("https://2130706433", Address),
        ("https://0x7f.1", Address),
        ("https://0177.0.0.1", Address),
        ("https://169.254.169.254", Address),
        ("https://[::1]", Address),
        ("https://[::ffff:127.0.0.1]", Address),
        ("https://localhost", Host),
        ("https://acme.example.com.", Host),
        ("https://acme..example.com", Host),
        ("https://.example.com", Host),
        ("https://-acme.example.com", Host),
        ("https://acme_.example.com", Host),
        ("https://*.example.com", Host),
        ("https://acme%2eexample%2ecom%00", Host),
        ("https://acme.example.com/path", Path),
        ("https://acme.example.com/?q", Path),
        ("http://acme.example.com", Scheme),
        ("http://10.0.0.1:4000", Scheme),
        ("http://127.0.0.2:4000", Scheme),
        ("http://0.0.0.0:4000", Scheme),
        ("ftp://acme.example.com", Scheme),
        ("wss://acme.example.com", Scheme),
    ] {
        assert_eq!(text.parse::<Origin>(), Err(error), "{text:?}");
    }
}

#[test]
fn a_pattern_must_be_written_as_it_is_compared() {
    use OriginError::*;
    for text in ["https://*.my.salesforce.com", "https://login.salesforce.com", "https://xn--mnchen-3ya.example.com"] {
        assert_eq!(pattern(text).to_string(), text);
    }
    for (text, error) in [
        ("*.my.salesforce.com", Scheme),
        ("http://*.my.salesforce.com", Scheme),
        ("HTTPS://*.my.salesforce.com", Scheme),
        ("https://*", Wildcard),
        ("https://*.*.salesforce.com", Wildcard),
        ("https://my.*.salesforce.com", Wildcard),
        ("https://a*.salesforce.com", Wildcard),
        ("https://**.salesforce.com", Wildcard),
        ("https://*.com", Host),
        ("https://*.", NotAUrl),
        ("https://*.My.Salesforce.com", Spelling),
        ("https://login.salesforce.com:443", Spelling),
        ("https://login.salesforce.com:8443", Port),
        ("https://login.salesforce.com/", Path),
        ("https://*.my.salesforce.com/services", Path),
        ("https://user@login.salesforce.com", UserInfo),
        ("https://*.salesforce.com.", Host),
        ("https://*.127.0.0.1", Address),
        ("https://münchen.example.com", Spelling),
        ("https://localhost", Host),
    ] {
        assert_eq!(text.parse::<OriginPattern>(), Err(error), "{text:?}");
    }
}

#[test]
fn a_wildcard_matches_one_or_more_labels_and_never_the_bare_suffix() {
    let wildcard = pattern("https://*.my.salesforce.com");
    for (text, meant) in [
        ("https://acme.my.salesforce.com", true),
        ("https://acme--dev.sandbox.my.salesforce.com", true),
        ("https://a.b.c.my.salesforce.com", true),
        ("https://my.salesforce.com", false),
        ("https://acmemy.salesforce.com", false),
        ("https://evil-my.salesforce.com", false),
        ("https://acme.my.salesforce.com.evil.test", false),
        ("https://my.salesforce.com.evil.test", false),
        ("https://acme.salesforce.com", false),
        ("http://127.0.0.1:4000", false),
    ] {
        assert_eq!(wildcard.matches(&origin(text)), meant, "{text}");
    }
    assert!(pattern("https://login.salesforce.com").matches(&origin("https://login.salesforce.com")));
    assert!(!pattern("https://login.salesforce.com").matches(&origin("https://a.login.salesforce.com")));
}

#[test]
fn a_test_override_keeps_path_and_query() {
    let (url, _) = parse_url("https://acme.my.salesforce.com/services/data/v66.0/query?q=a%2Bb").unwrap();
    let moved = origin("http://127.0.0.1:4000").in_place_of(&url).unwrap();
    assert_eq!(moved.as_str(), "http://127.0.0.1:4000/services/data/v66.0/query?q=a%2Bb");
}

fn hosts() -> impl Strategy<Value = String> {
    proptest::collection::vec("[ab]{1,2}", 2..5).prop_map(|labels| labels.join("."))
}

fn patterns() -> impl Strategy<Value = OriginPattern> {
    (any::<bool>(), hosts()).prop_map(|(wildcard, host)| OriginPattern { wildcard, host })
}

proptest! {
    #[test]
    fn an_intersection_matches_exactly_what_both_patterns_match(one in patterns(), other in patterns(), host in hosts()) {
        let origin = Origin(Kind::Https(host));
        let both = one.matches(&origin) && other.matches(&origin);
        let intersection = one.intersection(&other);
        prop_assert_eq!(intersection.is_some_and(|pattern| pattern.matches(&origin)), both);
        prop_assert_eq!(one.intersection(&other), other.intersection(&one));
    }

    #[test]
    fn a_pattern_survives_its_text_form(pattern in patterns()) {
        prop_assert_eq!(pattern.to_string().parse::<OriginPattern>(), Ok(pattern));
    }

    #[test]
    fn no_text_makes_the_parsers_panic_or_contradict_themselves(text in ".{0,40}", tail in ".{0,20}") {
        for text in [text.clone(), format!("https://{text}"), format!("https://a.{text}.com{tail}")] {
            if let Ok(origin) = text.parse::<Origin>() {
                prop_assert_eq!(origin.to_string().parse::<Origin>(), Ok(origin));
            }
            if let Ok(pattern) = text.parse::<OriginPattern>() {
                prop_assert_eq!(pattern.to_string(), text);
            }
        }
    }
}
