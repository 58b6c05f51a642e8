//! Servers that repeat the credential. Held means: the plugin got no response with it.

use crate::Family;
use crate::guest::run;
use acceptance::guests;
use acceptance::scripted::{Provider, Scripted, VICTIM};
use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use crm_host::HostBuilder;
use crm_host::credentials::ConnectionId;
use std::collections::BTreeSet;
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

/// A way to write a token, and why it is not found, if it is not.
struct Spelling {
    name: &'static str,
    spell: fn(&str) -> Vec<u8>,
    gap: Option<&'static str>,
}

const fn found(name: &'static str, spell: fn(&str) -> Vec<u8>) -> Spelling {
    Spelling { name, spell, gap: None }
}

const fn gap(name: &'static str, why: &'static str, spell: fn(&str) -> Vec<u8>) -> Spelling {
    Spelling { name, spell, gap: Some(why) }
}

/// Writes what is neither a letter nor a digit in another way.
fn special(text: &str, write: impl Fn(u8) -> String) -> Vec<u8> {
    all(text, |byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { write(byte) })
}

/// Writes all in another way.
fn all(text: &str, write: impl Fn(u8) -> String) -> Vec<u8> {
    text.bytes().map(write).collect::<String>().into()
}

fn wrapped(text: &[u8], width: usize, with: &[u8]) -> Vec<u8> {
    text.chunks(width).collect::<Vec<_>>().join(with)
}

fn hex(text: &str, with: &str) -> Vec<u8> {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(with).into()
}

fn base32(text: &str) -> Vec<u8> {
    let bits: Vec<u8> = text.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    bits.chunks(5)
        .map(|five| five.iter().fold(0, |number, bit| number * 2 + usize::from(*bit)) << (5 - five.len()))
        .filter_map(|number| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".get(number).copied())
        .collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let written = std::io::Write::write_all(&mut encoder, text.as_bytes());
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

fn rot13(byte: u8) -> char {
    char::from(match byte {
        b'a'..=b'm' | b'A'..=b'M' => byte + 13,
        b'n'..=b'z' | b'N'..=b'Z' => byte - 13,
        other => other,
    })
}

/// Only a server that works with the plugin would write it so, and such a server can always find another way.
const COLLUSION: &str = "no software writes a token so unless it wants to hide it";
/// A page or a dump for people.
const FOR_PEOPLE: &str = "for people, in types of responses that no route of a CRM lists";

const SPELLINGS: [Spelling; 86] = [
    found("raw", |text| text.into()),
    found("upper case", |text| text.to_ascii_uppercase().into()),
    found("lower case", |text| text.to_ascii_lowercase().into()),
    found("percent", |text| special(text, |byte| format!("%{byte:02X}"))),
    found("percent, lower case", |text| special(text, |byte| format!("%{byte:02x}"))),
    found("percent, all", |text| all(text, |byte| format!("%{byte:02X}"))),
    found("percent, all, lower case", |text| all(text, |byte| format!("%{byte:02x}"))),
    found("percent, twice", |text| special(text, |byte| format!("%25{byte:02X}"))),
    found("percent, three times", |text| special(text, |byte| format!("%2525{byte:02X}"))),
    found("percent, of UTF-16", |text| all(text, |byte| format!("{}%00", char::from(byte)))),
    found("form", |text| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().into()),
    found("JavaScript's escape", |text| special(text, |byte| format!("%u00{byte:02X}"))),
    found("JSON", |text| serde_json::to_vec(text).unwrap_or_default()),
    found("JSON, slashes", |text| text.replace('/', "\\/").into()),
    found("JSON, unicode", |text| special(text, |byte| format!("\\u{byte:04x}"))),
    found("JSON, unicode in upper case", |text| special(text, |byte| format!("\\u{byte:04X}"))),
    found("JSON, unicode, all", |text| all(text, |byte| format!("\\u{byte:04x}"))),
    found("JSON in JSON", |text| special(text, |byte| format!("\\\\u{byte:04x}"))),
    found("JSON in JSON in JSON", |text| special(text, |byte| format!("\\\\\\\\u{byte:04x}"))),
    found("a link in JSON", |text| special(text, |byte| format!("\\u0025{byte:02X}"))),
    found("JSON in a link", |text| special(text, |byte| format!("%5Cu{byte:04x}"))),
    found("HTML in JSON", |text| special(text, |byte| format!("\\u0026#{byte};"))),
    found("HTML, decimal", |text| special(text, |byte| format!("&#{byte};"))),
    found("HTML, decimal, all", |text| all(text, |byte| format!("&#{byte};"))),
    found("HTML, padded", |text| special(text, |byte| format!("&#{byte:03};"))),
    found("HTML, hex", |text| special(text, |byte| format!("&#x{byte:x};"))),
    found("HTML, hex, all", |text| all(text, |byte| format!("&#x{byte:x};"))),
    found("HTML, upper-case hex", |text| special(text, |byte| format!("&#X{byte:02X};"))),
    found("HTML, padded hex", |text| special(text, |byte| format!("&#x{byte:04x};"))),
    found("HTML, names", |text| {
        let names = [('!', "excl"), ('.', "period"), ('_', "lowbar"), ('+', "plus"), ('/', "sol"), ('=', "equals")];
        names.iter().fold(text.to_owned(), |text, (from, name)| text.replace(*from, &format!("&{name};"))).into()
    }),
    found("HTML, twice", |text| special(text, |byte| format!("&amp;#{byte};"))),
    found("HTML, three times", |text| special(text, |byte| format!("&amp;amp;#{byte};"))),
    found("HTML in a link", |text| special(text, |byte| format!("%26%23{byte}%3B"))),
    found("a link in HTML", |text| special(text, |byte| format!("&#37;{byte:02X}"))),
    found("XML, CDATA", |text| format!("<![CDATA[{text}]]>").into()),
    found("XML, an attribute", |text| format!("<t v=\"{text}\"/>").into()),
    found("JavaScript", |text| special(text, |byte| format!("\\x{byte:02X}"))),
    found("JavaScript, lower case", |text| special(text, |byte| format!("\\x{byte:02x}"))),
    found("JavaScript, all", |text| all(text, |byte| format!("\\x{byte:02x}"))),
    found("JavaScript, braces", |text| special(text, |byte| format!("\\u{{{byte:x}}}"))),
    found("C, octal", |text| special(text, |byte| format!("\\{byte:03o}"))),
    found("Python, 32 bits", |text| special(text, |byte| format!("\\U{byte:08x}"))),
    found("CSS", |text| special(text, |byte| format!("\\{byte:x} "))),
    found("CSS, padded", |text| special(text, |byte| format!("\\{byte:06x}"))),
    found("a shell, a regular expression", |text| special(text, |byte| format!("\\{}", char::from(byte)))),
    found("quoted-printable", |text| special(text, |byte| format!("={byte:02X}"))),
    found("quoted-printable, all", |text| all(text, |byte| format!("={byte:02X}"))),
    found("quoted-printable, wrapped", |text| wrapped(text.as_bytes(), 20, b"=\r\n")),
    found("base64", |text| STANDARD.encode(text).into()),
    found("base64 without padding", |text| STANDARD.encode(text).trim_end_matches('=').into()),
    found("base64url", |text| URL_SAFE.encode(text).into()),
    found("MIME base64", |text| wrapped(STANDARD.encode(text).as_bytes(), 76, b"\r\n")),
    found("PEM", |text| wrapped(STANDARD.encode(text).as_bytes(), 64, b"\n")),
    found("base64 in JSON", |text| STANDARD.encode(text).replace('/', "\\/").replace('=', "\\u003d").into()),
    found("base64 in a link", |text| special(&STANDARD.encode(text), |byte| format!("%{byte:02X}"))),
    found("base64 of the header", |text| STANDARD.encode(format!("Bearer {text}")).into()),
    found("base64 of user and password", |text| STANDARD.encode(format!("api:{text}")).into()),
    found("base64 of JSON", |text| STANDARD.encode(format!("{{\"sid\":\"{text}\",\"ttl\":7200}}")).into()),
    found("hex", |text| hex(text, "")),
    found("hex, upper case", |text| hex(text, "").to_ascii_uppercase()),
    found("hex, colons", |text| hex(text, ":")),
    found("hex, upper case with colons", |text| hex(text, ":").to_ascii_uppercase()),
    found("hex, spaces", |text| hex(text, " ")),
    found("hex, lines of 16 bytes", |text| wrapped(&hex(text, " "), 48, b"\n")),
    found("UTF-16", |text| text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    found("UTF-16, big endian", |text| text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    found("UTF-32", |text| text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect()),
    found("wrapped", |text| wrapped(text.as_bytes(), 20, b"\r\n  ")),
    found("grouped", |text| wrapped(text.as_bytes(), 4, b"-")),
    found("spaced", |text| wrapped(text.as_bytes(), 1, b" ")),
    found("zero-width spaces", |text| wrapped(text.as_bytes(), 8, "\u{200b}".as_bytes())),
    found("zero-width spaces in HTML", |text| wrapped(text.as_bytes(), 8, b"&#8203;")),
    found("soft hyphens in HTML", |text| wrapped(text.as_bytes(), 8, b"&shy;")),
    found("zero-width spaces in a link", |text| wrapped(text.as_bytes(), 8, b"%E2%80%8B")),
    gap("breaks in HTML", FOR_PEOPLE, |text| wrapped(text.as_bytes(), 8, b"<wbr>")),
    gap("hex dump with offsets", FOR_PEOPLE, |text| {
        hex(text, " ").chunks(48).enumerate().fold(Vec::new(), |mut dump, (line, bytes)| {
            dump.extend(format!("{:08x}  ", line * 16).bytes().chain(bytes.iter().copied()).chain([b'\n']));
            dump
        })
    }),
    gap("hex, of a program", FOR_PEOPLE, |text| all(text, |byte| format!("0x{byte:02x}, "))),
    gap("decimal numbers", FOR_PEOPLE, |text| all(text, |byte| format!("{byte}, "))),
    gap("base64, twice", "each further layer would multiply the work for every response", |text| {
        STANDARD.encode(STANDARD.encode(text)).into()
    }),
    gap("gzip in base64", "each further layer would multiply the work for every response", |text| {
        STANDARD.encode(gzip(text)).into()
    }),
    gap("base32", COLLUSION, base32),
    gap("backwards", COLLUSION, |text| text.bytes().rev().collect()),
    gap("ROT13", COLLUSION, |text| all(text, |byte| rot13(byte).to_string())),
    gap("every second character twice", COLLUSION, |text| wrapped(text.as_bytes(), 1, b"x")),
    gap("full-width characters", COLLUSION, |text| {
        let wide = |byte: u8| char::from_u32(u32::from(byte) + 0xfee0).unwrap_or_default();
        text.bytes().map(wide).collect::<String>().into()
    }),
    gap("UTF-7", "a response in a charset other than UTF-8 is refused", |text| {
        let wide = |byte: u8| STANDARD.encode([0, byte]).trim_end_matches('=').to_owned();
        special(text, |byte| format!("+{}-", wide(byte)))
    }),
];

/// A server that repeats a token of Salesforce's shape as each spelling has it, in a body.
pub async fn salesforce() -> Result<Family> {
    spellings("spellings of a token like Salesforce's", &PROVIDERS[0]).await
}

/// The same with a token of base64's shape.
pub async fn base64() -> Result<Family> {
    spellings("spellings of a token in base64", &PROVIDERS[1]).await
}

async fn spellings(name: &'static str, (token, provider): &'static (&str, Provider)) -> Result<Family> {
    let mut family = Family::new(name);
    let component = fs::read(guests::build("hostile")?.path)?;
    let answer = move |request: &http::Request<Vec<u8>>| {
        let path = request.uri().path().trim_start_matches("/open/");
        let (spelling, part) = path.split_once('-')?;
        let Spelling { spell, .. } = SPELLINGS.get(spelling.parse::<usize>().ok()?)?;
        Some(json(spell(&part_of(token, part))))
    };
    let searched = Scripted::start(&component, provider, answer).await?;
    // What gets through is in the plugin's memory, and some of it would be found there.
    let unsearched = Scripted::start_with(&component, provider, answer, HostBuilder::pool_memory).await?;
    let mut distinct = BTreeSet::new();
    for (place, Spelling { name, spell, gap }) in SPELLINGS.iter().enumerate() {
        // A token without slashes is the same with escaped slashes.
        if !distinct.insert(spell(token)) {
            continue;
        }
        let guest = if gap.is_some() { &unsearched } else { &searched };
        let mut through = Vec::new();
        for part in ["whole", "text", "end", "start", "secret"] {
            let url = format!("{{origin}}/open/{place}-{part}");
            let result = run(guest, &guest.connection, "request", &[("url", &url)]).await;
            let code = result.err().map(|error| error.code());
            if code != Some("credential-echo") {
                through.push(format!("{part} {}", code.unwrap_or("answered")));
            }
            guest.plugin.lift_quarantine();
        }
        let what = format!("{name}: {}", through.join(", "));
        match gap {
            Some(why) if !through.is_empty() => family.known(format!("{name}: {why}")),
            _ => family.attack(what, through.is_empty()),
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
