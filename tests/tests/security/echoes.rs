//! Servers that repeat the credential. Held means: the plugin got no response with it.

use crate::Family;
use crate::guest::run;
use acceptance::guests;
use acceptance::scripted::{Provider, Scripted, VICTIM};
use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use crm_host::credentials::ConnectionId;
use std::fs;

/// Salesforce's shape: the id of the org, which is known, and what is secret.
const SESSION: &str = "00D5g00000AbCdE!AQEAQHx8y.kZ_3vW0pLmN2rT6uYcVbX9sDfGhJqA1Zw4E5R.t7U8i_Oo";
/// The shape of many others: base64.
const BASE64: &str = "q83+Jk/0Zt5vX9mPw2Ls+Yb7Nc4Hd1Rf6Ge8Ta3Ku/Vi0Wj9Xo2Mq5Bz7Sn4A==";

const PROVIDERS: [(&str, Provider); 2] = [
    (
        SESSION,
        Provider {
            tokens: r#"{"access_token":"00D5g00000AbCdE!AQEAQHx8y.kZ_3vW0pLmN2rT6uYcVbX9sDfGhJqA1Zw4E5R.t7U8i_Oo","refresh_token":"refresh-0123456789","instance_url":"https://acme.victim.example","token_type":"Bearer"}"#,
            ..VICTIM
        },
    ),
    (
        BASE64,
        Provider {
            tokens: r#"{"access_token":"q83+Jk/0Zt5vX9mPw2Ls+Yb7Nc4Hd1Rf6Ge8Ta3Ku/Vi0Wj9Xo2Mq5Bz7Sn4A==","refresh_token":"refresh-0123456789","instance_url":"https://acme.victim.example","token_type":"Bearer"}"#,
            ..VICTIM
        },
    ),
];

type Spelling = (&'static str, fn(&str) -> Vec<u8>);

fn each(text: &str, write: impl Fn(u8) -> String) -> Vec<u8> {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { write(byte) })
        .collect::<String>()
        .into()
}

const SPELLINGS: [Spelling; 27] = [
    ("raw", |text| text.into()),
    ("percent", |text| each(text, |byte| format!("%{byte:02X}"))),
    ("percent, lower case", |text| each(text, |byte| format!("%{byte:02x}"))),
    ("percent, all", |text| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>().into()),
    ("percent, twice", |text| each(text, |byte| format!("%25{byte:02X}"))),
    ("percent, three times", |text| each(text, |byte| format!("%2525{byte:02X}"))),
    ("form", |text| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().into()),
    ("JSON", |text| serde_json::to_vec(text).unwrap_or_default()),
    ("JSON, slashes", |text| text.replace('/', "\\/").into()),
    ("JSON, unicode", |text| each(text, |byte| format!("\\u{byte:04x}"))),
    ("JSON, unicode in upper case", |text| each(text, |byte| format!("\\u{byte:04X}"))),
    ("JSON in JSON", |text| each(text, |byte| format!("\\\\u{byte:04x}"))),
    ("HTML, decimal", |text| each(text, |byte| format!("&#{byte};"))),
    ("HTML, padded", |text| each(text, |byte| format!("&#{byte:03};"))),
    ("HTML, hex", |text| each(text, |byte| format!("&#x{byte:x};"))),
    ("HTML, upper-case hex", |text| each(text, |byte| format!("&#X{byte:02X};"))),
    ("HTML, names", |text| text.replace('!', "&excl;").replace('.', "&period;").replace('+', "&plus;").into()),
    ("JavaScript", |text| each(text, |byte| format!("\\x{byte:02X}"))),
    ("HTML in a link", |text| each(text, |byte| format!("%26%23{byte}%3B"))),
    ("base64", |text| STANDARD.encode(text).into()),
    ("base64url", |text| URL_SAFE.encode(text).into()),
    ("MIME base64", |text| {
        STANDARD.encode(text).as_bytes().chunks(76).map(|line| [line, b"\r\n"].concat()).collect::<Vec<_>>().concat()
    }),
    ("base64 in JSON", |text| STANDARD.encode(text).replace('/', "\\/").replace('=', "\\u003d").into()),
    ("hex", |text| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into()),
    ("hex, upper case with colons", |text| text.bytes().map(|byte| format!("{byte:02X}:")).collect::<String>().into()),
    ("UTF-16", |text| text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ("wrapped", |text| text.as_bytes().chunks(20).map(|line| [line, b"\r\n  "].concat()).collect::<Vec<_>>().concat()),
];

/// A server that repeats the token as a spelling has it, in a body.
pub async fn spellings() -> Result<Family> {
    let mut family = Family::new("the credential in a response's body");
    let component = fs::read(guests::build("hostile")?.path)?;
    for (token, provider) in &PROVIDERS {
        let guest = Scripted::start(&component, provider, move |request| {
            let path = request.uri().path().trim_start_matches("/open/");
            let (spelling, part) = path.split_once('-')?;
            let (_, spell) = SPELLINGS.get(spelling.parse::<usize>().ok()?)?;
            Some(json(spell(&part_of(token, part))))
        })
        .await?;
        for (place, (name, _)) in SPELLINGS.iter().enumerate() {
            for part in ["whole", "text", "end", "start", "secret"] {
                let url = format!("{{origin}}/open/{place}-{part}");
                let result = run(&guest, &guest.connection, "request", &[("url", &url)]).await;
                let code = result.err().map(|error| error.code());
                family.attack(format!("{name}, {part}, {}: {code:?}", token.len()), code == Some("credential-echo"));
                guest.plugin.lift_quarantine();
            }
        }
    }
    Ok(family)
}

fn part_of(token: &str, part: &str) -> String {
    match part {
        "text" => format!("ab {token} c"),
        "end" => token[1..].to_owned(),
        "start" => token[..token.len() - 1].to_owned(),
        "secret" => token.split_once('!').map_or(token, |(_, secret)| secret).to_owned(),
        _ => token.to_owned(),
    }
}

fn json(body: Vec<u8>) -> acceptance::scripted::Reply {
    acceptance::scripted::response(200, body)
}

/// The same in headers, over several of them, as a part of a body, and in other charsets.
pub async fn ways() -> Result<Family> {
    let mut family = Family::new("the credential elsewhere in a response");
    let component = fs::read(guests::build("hostile")?.path)?;
    let guest = Scripted::start(&component, &PROVIDERS[0].1, |request| {
        let way = request.uri().path().trim_start_matches("/open/");
        let mut response = acceptance::scripted::response(200, "[]").ok()?;
        let hex: String = SESSION.bytes().map(|byte| format!("{byte:02x}")).collect();
        let (head, tail) = SESSION.split_at(40);
        let mut header = |name: &str, value: &str| {
            let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?;
            response.headers_mut().append(name, http::HeaderValue::from_str(value).ok()?);
            Some(())
        };
        match way {
            "header" => header("x-echo", SESSION)?,
            "authorization" => header("x-echo", &format!("Bearer {SESSION}"))?,
            "location" => header("location", &format!("https://x.example/?sid={SESSION}"))?,
            "name" => header(&format!("x-{hex}"), "1")?,
            "hex" => header("x-echo", &hex)?,
            "cookie" => header("set-cookie", SESSION)?,
            "two" => {
                header("x-one", head)?;
                header("x-two", tail)?
            }
            "same" => {
                header("x-echo", head)?;
                header("x-echo", tail)?
            }
            "part" => {
                *response.status_mut() = http::StatusCode::PARTIAL_CONTENT;
                *response.body_mut() = head.into()
            }
            "utf-7" => {
                response
                    .headers_mut()
                    .insert("content-type", http::HeaderValue::from_static("application/json; charset=utf-7"));
                *response.body_mut() = head.into()
            }
            "gzip" => {
                response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/gzip"));
                *response.body_mut() = head.into()
            }
            "none" => {
                response.headers_mut().remove("content-type");
                *response.body_mut() = head.into()
            }
            "several" => {
                header("content-type", "text/html")?;
                *response.body_mut() = head.into()
            }
            _ => return None,
        }
        Some(Ok(response))
    })
    .await?;
    for way in [
        "header",
        "authorization",
        "location",
        "name",
        "hex",
        "cookie",
        "two",
        "same",
        "part",
        "utf-7",
        "gzip",
        "none",
        "several",
    ] {
        let url = format!("{{origin}}/open/{way}");
        let result = run(&guest, &guest.connection, "request", &[("url", &url)]).await;
        let (is_held, told) = match result {
            Ok(called) => (
                called.answer.code == "failed-response-blocked" || called.answer.message.is_empty(),
                called.answer.code,
            ),
            Err(error) => (error.code() == "credential-echo", error.code().to_owned()),
        };
        family.attack(format!("{way}: {told}"), is_held);
        guest.plugin.lift_quarantine();
    }
    Ok(family)
}

/// A plugin that asks again and again gets no further call, and takes none from others.
pub async fn again() -> Result<Family> {
    let mut family = Family::new("a plugin that searches for the credential");
    let component = fs::read(guests::build("hostile")?.path)?;
    let guest = Scripted::start(&component, &PROVIDERS[0].1, |request| {
        Some(json(if request.uri().path() == "/open/echo" { SESSION.into() } else { b"[]".to_vec() }))
    })
    .await?;
    let other = ConnectionId::new("team-2");
    guest.connect(&other).await?;
    for (call, expected) in
        ["credential-echo", "credential-echo", "credential-echo", "quarantined", "quarantined"].iter().enumerate()
    {
        let before = guest.script.seen().len();
        let code = run(&guest, &guest.connection, "request", &[("url", "{origin}/open/echo")])
            .await
            .err()
            .map(|error| error.code());
        let is_sent = guest.script.seen().len() > before;
        family.attack(
            format!("call {call}: {code:?}"),
            code == Some(*expected) && is_sent == (*expected == "credential-echo"),
        );
    }
    let served = run(&guest, &other, "request", &[("url", "{origin}/open/x")]).await;
    family.attack("another team meanwhile", served.is_ok_and(|called| called.answer.code == "answered"));
    guest.plugin.lift_quarantine();
    let served = run(&guest, &guest.connection, "request", &[("url", "{origin}/open/x")]).await;
    family.attack("the team once the operator lifted it", served.is_ok_and(|called| called.answer.code == "answered"));
    Ok(family)
}
