//! Proof that a service sent a request: a secret in a header, or a signature by one.
//!
//! Comparisons take the same time wherever two values differ, and no refusal has a secret or an expected signature in it.

use std::fmt;

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Shortest secret in bytes. With fewer than 128 bits of even the best randomness, signatures could be tried offline.
pub const SHORTEST_SECRET: usize = 16;

/// What a service and this host share. It is wiped when dropped, its `Debug` form is `[redacted]`, and nothing reveals it.
#[derive(Clone)]
pub struct HookSecret(Zeroizing<String>);

impl HookSecret {
    /// Takes a secret of at least [`SHORTEST_SECRET`] bytes. Nothing is trimmed: the service signs with every byte.
    ///
    /// # Errors
    /// If the secret is too short, or has white space at an end, which comes from pasting.
    pub fn new(text: impl Into<Zeroizing<String>>) -> Result<Self, UnusableSecret> {
        let text = text.into();
        if text.trim() != text.as_str() {
            Err(UnusableSecret::Blanks)
        } else if text.len() < SHORTEST_SECRET {
            Err(UnusableSecret::TooShort { bytes: text.len() })
        } else {
            Ok(Self(text))
        }
    }
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a secret cannot be used. Whoever configures the hook must set another one, here and at the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableSecret {
    /// It could be guessed.
    #[error(
        "the hook's secret has {bytes} bytes; set one of at least {SHORTEST_SECRET} random ones here and at the service"
    )]
    TooShort {
        /// Its length.
        bytes: usize,
    },
    /// It has white space at an end.
    #[error("the hook's secret begins or ends with white space; remove it here, and at the service if it is there too")]
    Blanks,
}

impl UnusableSecret {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "secret-too-short",
            Self::Blanks => "secret-with-blanks",
        }
    }
}

/// A webhook request. It has no `Debug` form: TimeRex's header is the secret itself.
#[derive(Clone, Copy)]
pub struct HookRequest<'r> {
    /// All its headers.
    pub headers: &'r HeaderMap,
    /// The body as it arrived: a signature covers every byte, white space and byte order mark included.
    pub body: &'r [u8],
}

/// Why a request is refused. Nothing of it may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthentic {
    /// The hook has no secret to compare with.
    #[error("this hook has no secret; whoever configures it must set the one that the service uses")]
    NoSecret,
    /// The header is not there.
    #[error(
        "the request has no header `{header}`; whoever manages the service's webhooks must set the hook's secret there"
    )]
    Missing {
        /// The header.
        header: &'static str,
    },
    /// The header is there more than once, and it is unclear which one counts.
    #[error(
        "the request has several headers `{header}`; whoever runs the proxy before this host must let only one through"
    )]
    Repeated {
        /// The header.
        header: &'static str,
    },
    /// The header does not have the form that the service documents.
    #[error("the header `{header}` is not {expected}; the request is not the service's, or a proxy changed it")]
    Malformed {
        /// The header.
        header: &'static str,
        /// Its form.
        expected: &'static str,
    },
    /// The service says that it has no secret.
    #[error(
        "the service has no secret for this webhook; whoever manages its webhooks must set the hook's secret there"
    )]
    Unsigned,
    /// The header was made with another secret, or for another body.
    #[error(
        "the header `{header}` does not match; the secrets here and at the service differ, or the body was changed"
    )]
    Mismatch {
        /// The header.
        header: &'static str,
    },
    /// The signature is right, but too old.
    #[error(
        "the request was signed {seconds} s ago; it was sent again by somebody, or the operator must set this host's clock"
    )]
    Expired {
        /// Its age.
        seconds: u64,
    },
    /// The signature is right, but its time has not come.
    #[error("the request was signed {seconds} s in the future; the operator must set this host's clock")]
    FromTheFuture {
        /// How far.
        seconds: u64,
    },
}

impl NotAuthentic {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoSecret => "hook-without-secret",
            Self::Missing { .. } => "authentication-missing",
            Self::Repeated { .. } => "authentication-repeated",
            Self::Malformed { .. } => "authentication-malformed",
            Self::Unsigned => "service-without-secret",
            Self::Mismatch { .. } => "authentication-mismatch",
            Self::Expired { .. } => "signature-expired",
            Self::FromTheFuture { .. } => "signature-from-the-future",
        }
    }
}

impl<'r> HookRequest<'r> {
    /// The value of a header that must be there once.
    pub(crate) fn header(&self, header: &'static str) -> Result<&'r [u8], NotAuthentic> {
        let mut values = self.headers.get_all(header).iter();
        let value = values.next().ok_or(NotAuthentic::Missing { header })?;
        if values.next().is_some() {
            return Err(NotAuthentic::Repeated { header });
        }
        // White space around a value is no part of it (RFC 9110, section 5.5).
        Ok(value.as_bytes().trim_ascii())
    }

    /// Checks that a header is one of the secrets.
    pub(crate) fn has_secret(&self, header: &'static str, secrets: &[HookSecret]) -> Result<(), NotAuthentic> {
        // The time to compare digests does not even reveal the secret's length.
        let given = Sha256::digest(self.header(header)?);
        let is_given = |secret: &HookSecret| bool::from(Sha256::digest(secret.0.as_bytes()).ct_eq(&given));
        some_secret(secrets, is_given, header)
    }
}

/// Checks that one of the secrets made a signature over a message, which is given in parts: HMAC-SHA256 in hexadecimal.
pub(crate) fn is_signed(
    message: &[&[u8]],
    (header, signature): (&'static str, &[u8]),
    secrets: &[HookSecret],
) -> Result<(), NotAuthentic> {
    let signature = HEXLOWER_PERMISSIVE
        .decode(signature)
        .ok()
        .filter(|signature| signature.len() == 32)
        .ok_or(NotAuthentic::Malformed { header, expected: "a signature of 64 hexadecimal digits" })?;
    let signed = |secret: &HookSecret| {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.0.as_bytes()) else { return false };
        message.iter().for_each(|part| mac.update(part));
        mac.verify_slice(&signature).is_ok()
    };
    some_secret(secrets, signed, header)
}

/// Checks that one of the secrets is right.
fn some_secret(
    secrets: &[HookSecret],
    is_right: impl Fn(&HookSecret) -> bool,
    header: &'static str,
) -> Result<(), NotAuthentic> {
    if secrets.is_empty() {
        return Err(NotAuthentic::NoSecret);
    }
    if secrets.iter().any(is_right) { Ok(()) } else { Err(NotAuthentic::Mismatch { header }) }
}

#[cfg(test)]
mod tests {
    use data_encoding::{HEXLOWER, HEXUPPER};
    use http::{HeaderName, HeaderValue};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::{Calcom, Calendly, Hook, Timerex};

    const BODY: &[u8] = r#"{"event":"invitee.created","payload":{"name":"高橋　美咲"}}"#.as_bytes();
    const SIGNED_AT: i64 = 1_795_511_109;
    const KEY: &str = "calendly-signing-key-1";
    /// Of `KEY`, `SIGNED_AT` and `BODY`, as Python's `hmac` has it.
    const SIGNATURE: &str = "15a92479afe65a74677b8153b1d317a45e725a3d6334bf3f2ae495cbfd042f01";

    fn secret(text: &str) -> HookSecret {
        HookSecret::new(text.to_owned()).unwrap()
    }

    fn headers(headers: &[(&'static str, &[u8])]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &[u8])| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value).unwrap())
        };
        // `collect` appends: it keeps every value of a name.
        headers.iter().map(header).collect()
    }

    /// The code of a refusal; empty if there is none.
    fn code(hook: &dyn Hook, headers: &HeaderMap, body: &[u8], secrets: &[HookSecret], now: i64) -> &'static str {
        let now = Timestamp::from_second(now).unwrap();
        hook.authenticate(&HookRequest { headers, body }, secrets, now).err().map_or("", NotAuthentic::code)
    }

    fn sign(secret: &str, parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    }

    #[test]
    fn timerex_sends_the_secret_itself() {
        let secrets = [secret("timerex-token-00001")];
        for (sent, expected) in [
            (vec![("x-timerex-authorization", &b"timerex-token-00001"[..])], ""),
            (vec![("X-TimeRex-Authorization", b"timerex-token-00001")], ""),
            (vec![("x-timerex-authorization", b" timerex-token-00001\t ")], ""),
            (vec![("x-timerex-authorization", b"timerex-token-00002")], "authentication-mismatch"),
            (vec![("x-timerex-authorization", b"timerex-token-0000")], "authentication-mismatch"),
            (vec![("x-timerex-authorization", b"timerex-token-000011")], "authentication-mismatch"),
            (vec![("x-timerex-authorization", b"TIMEREX-TOKEN-00001")], "authentication-mismatch"),
            (vec![("x-timerex-authorization", b"Bearer timerex-token-00001")], "authentication-mismatch"),
            (vec![("x-timerex-authorization", b"")], "authentication-mismatch"),
            (vec![("x-timerex-authorization", b"\xff\xfe")], "authentication-mismatch"),
            (vec![("authorization", b"timerex-token-00001")], "authentication-missing"),
            (vec![], "authentication-missing"),
            (
                vec![
                    ("x-timerex-authorization", b"timerex-token-00001"),
                    ("X-Timerex-Authorization", b"timerex-token-00001"),
                ],
                "authentication-repeated",
            ),
        ] {
            assert_eq!(code(&Timerex, &headers(&sent), BODY, &secrets, SIGNED_AT), expected, "{sent:?}");
        }
    }

    #[test]
    fn calendly_signs_the_time_and_the_body() {
        let secrets = [secret(KEY)];
        let (s, upper) = (SIGNATURE, SIGNATURE.to_uppercase());
        for (value, expected) in [
            (format!("t=1795511109,v1={s}"), ""),
            (format!("v1={s},t=1795511109"), ""),
            (format!("t=1795511109,v1={upper}"), ""),
            (format!(" t=1795511109 , v1={s}  "), ""),
            (format!("t=1795511109,v1={s},v2=abc"), ""),
            (format!("t=1795511110,v1={s}"), "authentication-mismatch"),
            (format!("t=01795511109,v1={s}"), "authentication-mismatch"),
            (format!("v1={s}"), "authentication-malformed"),
            ("t=1795511109".to_owned(), "authentication-malformed"),
            (format!("t=1795511109,v0={s}"), "authentication-malformed"),
            (format!("t=1795511109,t=1795511109,v1={s}"), "authentication-malformed"),
            (format!("t=1795511109,v1={s},v1={s}"), "authentication-malformed"),
            (format!("t=,v1={s}"), "authentication-malformed"),
            (format!("t=-1,v1={s}"), "authentication-malformed"),
            (format!("t=+1795511109,v1={s}"), "authentication-malformed"),
            (format!("t=soon,v1={s}"), "authentication-malformed"),
            (format!("t=１,v1={s}"), "authentication-malformed"),
            (format!("t=99999999999999999999,v1={s}"), "authentication-malformed"),
            (format!("t=1795511109,v1={}", &s[..62]), "authentication-malformed"),
            (format!("t=1795511109,v1={}", &s[..63]), "authentication-malformed"),
            (format!("t=1795511109,v1={s}00"), "authentication-malformed"),
            ("t=1795511109,v1=".to_owned(), "authentication-malformed"),
            (format!("t=1795511109,v1={}", s.replacen(char::is_numeric, "g", 1)), "authentication-malformed"),
            (format!("t = 1795511109,v1={s}"), "authentication-malformed"),
            (format!("t=1795511109;v1={s}"), "authentication-malformed"),
            (s.to_owned(), "authentication-malformed"),
            (String::new(), "authentication-malformed"),
        ] {
            let sent = headers(&[("Calendly-Webhook-Signature", value.as_bytes())]);
            assert_eq!(code(&Calendly, &sent, BODY, &secrets, SIGNED_AT), expected, "{value}");
        }
        assert_eq!(code(&Calendly, &HeaderMap::new(), BODY, &secrets, SIGNED_AT), "authentication-missing");
        let header = ("calendly-webhook-signature", SIGNATURE.as_bytes());
        assert_eq!(code(&Calendly, &headers(&[header, header]), BODY, &secrets, SIGNED_AT), "authentication-repeated");
    }

    #[test]
    fn a_signature_of_calendly_holds_for_three_minutes_in_both_directions() {
        let sent = headers(&[("calendly-webhook-signature", format!("t={SIGNED_AT},v1={SIGNATURE}").as_bytes())]);
        for (seconds, expected) in [
            (0, ""),
            (180, ""),
            (181, "signature-expired"),
            (SIGNED_AT, "signature-expired"),
            (-180, ""),
            (-181, "signature-from-the-future"),
            (-SIGNED_AT, "signature-from-the-future"),
        ] {
            assert_eq!(code(&Calendly, &sent, BODY, &[secret(KEY)], SIGNED_AT + seconds), expected, "{seconds}");
            let wrong = [secret("another-signing-key")];
            // Without the secret, nothing is learned about the clock.
            assert_eq!(code(&Calendly, &sent, BODY, &wrong, SIGNED_AT + seconds), "authentication-mismatch");
        }
    }

    #[test]
    fn cal_com_signs_the_body_alone() {
        // RFC 4231, section 4.5.
        let key: String = (1..=25_u8).map(char::from).collect();
        let data = [0xcd; 50];
        let signature = "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b";
        let secrets = [secret(&key)];
        for (value, expected) in [
            (signature.to_owned(), ""),
            (signature.to_uppercase(), ""),
            (format!(" {signature}\t"), ""),
            (signature.replacen('8', "9", 1), "authentication-mismatch"),
            (format!("sha256={signature}"), "authentication-malformed"),
            (signature[1..].to_owned(), "authentication-malformed"),
            (format!("{signature},{signature}"), "authentication-malformed"),
            (String::new(), "authentication-malformed"),
            ("no-secret-provided".to_owned(), "service-without-secret"),
            ("No-Secret-Provided ".to_owned(), "service-without-secret"),
        ] {
            let sent = headers(&[("X-Cal-Signature-256", value.as_bytes())]);
            assert_eq!(code(&Calcom, &sent, &data, &secrets, SIGNED_AT), expected, "{value}");
        }
        assert_eq!(code(&Calcom, &HeaderMap::new(), &data, &secrets, SIGNED_AT), "authentication-missing");
        let header = ("x-cal-signature-256", signature.as_bytes());
        assert_eq!(code(&Calcom, &headers(&[header, header]), &data, &secrets, SIGNED_AT), "authentication-repeated");
    }

    #[test]
    fn a_byte_order_mark_is_signed_like_the_rest() {
        let signature = b"08cf2a98182de6795e8daf8ce58efb4692df5af97686358726c2a9e76dba6bc4";
        let sent = headers(&[("x-cal-signature-256", signature)]);
        let secrets = [secret("calcom-secret-0001")];
        assert_eq!(code(&Calcom, &sent, &[b"\xef\xbb\xbf", BODY].concat(), &secrets, SIGNED_AT), "");
        assert_eq!(code(&Calcom, &sent, BODY, &secrets, SIGNED_AT), "authentication-mismatch");
    }

    #[test]
    fn any_of_the_secrets_will_do_and_without_one_nothing_does() {
        let calendly = format!("t={SIGNED_AT},v1={SIGNATURE}");
        let calcom = HEXLOWER.encode(&sign(KEY, &[BODY]));
        let sent = headers(&[
            ("x-timerex-authorization", KEY.as_bytes()),
            ("calendly-webhook-signature", calendly.as_bytes()),
            ("x-cal-signature-256", calcom.as_bytes()),
        ]);
        let (right, old) = (secret(KEY), secret("the-secret-of-last-year"));
        for hook in crate::HOOKS {
            for secrets in [vec![right.clone()], vec![old.clone(), right.clone()], vec![right.clone(), old.clone()]] {
                assert_eq!(code(*hook, &sent, BODY, &secrets, SIGNED_AT), "", "{}", hook.name());
            }
            let one = std::slice::from_ref(&old);
            assert_eq!(code(*hook, &sent, BODY, one, SIGNED_AT), "authentication-mismatch", "{}", hook.name());
            assert_eq!(code(*hook, &sent, BODY, &[], SIGNED_AT), "hook-without-secret", "{}", hook.name());
        }
    }

    #[test]
    fn a_secret_is_long_enough_and_never_shown() {
        for (text, expected) in [
            ("", Some("secret-too-short")),
            ("fifteen-bytes-1", Some("secret-too-short")),
            ("sixteen-bytes-12", None),
            ("六文字の秘密", None),
            ("sixteen-bytes-12\n", Some("secret-with-blanks")),
            (" sixteen-bytes-12", Some("secret-with-blanks")),
            ("sixteen bytes 12", None),
            ("                ", Some("secret-with-blanks")),
        ] {
            let made = HookSecret::new(text.to_owned());
            assert_eq!(made.as_ref().err().map(|error| error.code()), expected, "{text:?}");
            match made {
                Ok(secret) => assert_eq!(format!("{secret:?} {secret:#?}"), "[redacted] [redacted]"),
                Err(error) => assert!(text.is_empty() || !error.to_string().contains(text)),
            }
        }
    }

    #[test]
    fn no_refusal_has_a_secret_or_a_signature_in_it() {
        let seconds = 200;
        let header = "x-cal-signature-256";
        let refusals = [
            NotAuthentic::NoSecret,
            NotAuthentic::Missing { header },
            NotAuthentic::Repeated { header },
            NotAuthentic::Malformed { header, expected: "a signature of 64 hexadecimal digits" },
            NotAuthentic::Unsigned,
            NotAuthentic::Mismatch { header },
            NotAuthentic::Expired { seconds },
            NotAuthentic::FromTheFuture { seconds },
        ];
        let codes: std::collections::BTreeSet<_> = refusals.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(codes.len(), refusals.len());
        // Their parts are names in the code, and numbers of seconds: a refusal can be copied, so it owns no text.
        fn owns_nothing<T: Copy>(_: &T) {}
        owns_nothing(&refusals);
    }

    proptest! {
        #[test]
        fn a_body_with_any_byte_changed_fails_its_signature(
            body in prop::collection::vec(any::<u8>(), 1..200), key in "[!-~]{16,80}", place in any::<prop::sample::Index>(), flip in 1..=255_u8,
        ) {
            let time = SIGNED_AT.to_string();
            let calendly = format!("t={time},v1={}", HEXLOWER.encode(&sign(&key, &[time.as_bytes(), b".", &body])));
            let calcom = HEXUPPER.encode(&sign(&key, &[&body]));
            let sent = headers(&[
                ("calendly-webhook-signature", calendly.as_bytes()),
                ("x-cal-signature-256", calcom.as_bytes()),
            ]);
            let mut changed = body.clone();
            changed[place.index(body.len())] ^= flip;
            let mut longer = body.clone();
            longer.push(flip);
            for hook in [&Calendly as &dyn Hook, &Calcom] {
                prop_assert_eq!(code(hook, &sent, &body, &[secret(&key)], SIGNED_AT), "");
                for other in [&changed[..], &longer, &body[1..], b""] {
                    prop_assert_eq!(code(hook, &sent, other, &[secret(&key)], SIGNED_AT), "authentication-mismatch");
                }
            }
        }

        #[test]
        fn any_header_is_taken_or_refused(value in prop::collection::vec(0x20..=0xff_u8, 0..120), body in prop::collection::vec(any::<u8>(), 0..50)) {
            let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
            for (hook, name) in crate::HOOKS.iter().zip(["x-timerex-authorization", "calendly-webhook-signature", "x-cal-signature-256"]) {
                let sent = headers(&[(name, value.as_bytes())]);
                prop_assert_ne!(code(*hook, &sent, &body, &[secret("an-unguessable-secret")], SIGNED_AT), "");
            }
        }
    }
}
