//! Record ids: 15 case-sensitive characters, or 18 with a checksum that restores lost case.

/// Key prefix of Lead ids.
pub const LEAD: &str = "00Q";
/// Key prefix of Contact ids.
pub const CONTACT: &str = "003";
/// Key prefix of User ids.
pub const USER: &str = "005";
/// Key prefix of Group ids, which queues have too.
pub const GROUP: &str = "00G";
/// Key prefix of record type ids.
pub const RECORD_TYPE: &str = "012";
/// Key prefix of assignment rule ids.
pub const ASSIGNMENT_RULE: &str = "01Q";

const CHECK: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The 18-character form of an id of either length; `None` if the text is not an id.
///
/// Restores the case of an 18-character id from its checksum, as Salesforce does.
pub fn to_18(id: &str) -> Option<String> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    match id.len() {
        15 => Some(format!("{id}{}", checksum(id))),
        18 => {
            let (body, check) = id.split_at(15);
            let restored = restore_case(body, check)?;
            Some(format!("{restored}{}", check.to_ascii_uppercase()))
        }
        _ => None,
    }
}

/// The 15-character form of an 18-character id.
pub fn to_15(id: &str) -> &str {
    id.get(..15).unwrap_or(id)
}

/// The `sequence`-th id with this key prefix.
pub fn mint(prefix: &str, sequence: u64) -> String {
    let mut digits = [b'0'; 12];
    let mut rest = sequence;
    for digit in digits.iter_mut().rev() {
        *digit = base62(rest % 62);
        rest /= 62;
    }
    // Real ids name the instance in the three characters after the prefix.
    let body: String = prefix.chars().chain("5i0".chars()).chain(digits.iter().skip(3).map(|&d| d as char)).collect();
    to_18(&body).unwrap_or(body)
}

/// The same id under another object's key prefix.
pub fn of_object(prefix: &str, id: &str) -> String {
    let body = format!("{prefix}{}", to_15(id).get(3..).unwrap_or_default());
    to_18(&body).unwrap_or(body)
}

fn base62(value: u64) -> u8 {
    usize::try_from(value).ok().and_then(|index| BASE62.get(index)).copied().unwrap_or(b'0')
}

fn checksum(id: &str) -> String {
    id.as_bytes()
        .chunks(5)
        .map(|group| {
            let bits = group.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase());
            let index: usize = bits.map(|(bit, _)| 1 << bit).sum();
            CHECK.get(index).copied().unwrap_or(b'A') as char
        })
        .collect()
}

fn restore_case(body: &str, check: &str) -> Option<String> {
    let mut restored = String::with_capacity(15);
    for (group, letter) in body.as_bytes().chunks(5).zip(check.bytes()) {
        let bits = CHECK.iter().position(|&known| known == letter.to_ascii_uppercase())?;
        for (bit, byte) in group.iter().enumerate() {
            let upper = bits >> bit & 1 == 1;
            if upper && byte.is_ascii_digit() {
                return None;
            }
            restored.push(if upper { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() } as char);
        }
    }
    Some(restored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_get_the_same_checksum_as_in_salesforce() {
        for (short, long) in [
            ("0017e00001W4GYR", "0017e00001W4GYRAA3"),
            ("0015500001QdQWa", "0015500001QdQWaAAN"),
            ("012000000000000", "012000000000000AAA"),
        ] {
            assert_eq!(to_18(short).as_deref(), Some(long));
            assert_eq!(to_18(long).as_deref(), Some(long));
            assert_eq!(to_18(&long.to_ascii_lowercase()).as_deref(), Some(long), "the checksum restores the case");
        }
        for bad in ["", "00Q", "0017e00001W4GYRAAAA", "0017e00001W4GY!", "0017e00001W4GYR 33", "00１５500001QdQWa"] {
            assert_eq!(to_18(bad), None, "{bad}");
        }
    }

    #[test]
    fn minted_ids_are_distinct_and_keep_their_prefix() {
        let first = mint(LEAD, 1);
        assert_eq!(first.len(), 18);
        assert!(first.starts_with(LEAD));
        assert_ne!(first, mint(LEAD, 2));
        assert_eq!(to_18(to_15(&first)), Some(first));
    }
}
