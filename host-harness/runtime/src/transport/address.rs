//! The addresses that requests may go to.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use crate::policy::{Nat64Prefix, PrivateRange};

/// The addresses that names may resolve to: public ones, and the private ones that a policy allows.
#[derive(Clone, Debug, Default)]
pub struct Reachable {
    private: Arc<[PrivateRange]>,
    nat64: Arc<[Nat64Prefix]>,
}

impl Reachable {
    /// Public addresses, these private ranges, and what is behind these NAT64 prefixes.
    pub fn new(private: &[PrivateRange], nat64: &[Nat64Prefix]) -> Self {
        Self { private: private.into(), nat64: nat64.into() }
    }

    /// Whether a name may resolve to an address.
    pub fn contains(&self, address: IpAddr) -> bool {
        if is_isatap(address) {
            return false;
        }
        let address = unwrapped(address, &self.nat64);
        is_public(address) || self.private.iter().any(|range| range.contains(address))
    }
}

/// Whether a tunnel would send to the IPv4 address in the interface identifier (RFC 5214, section 6.1). Nobody serves a CRM there.
fn is_isatap(address: IpAddr) -> bool {
    let IpAddr::V6(v6) = address else { return false };
    matches!(v6.segments(), [.., 0 | 0x200, 0x5efe, _, _])
}

/// Unwraps an IPv4 address in an IPv6 address, in every form of wrapping.
fn unwrapped(address: IpAddr, nat64: &[Nat64Prefix]) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(v4) = nat64.iter().find_map(|prefix| prefix.embedded(v6)) {
        return v4.into();
    }
    if let Some(v4) = v6.to_ipv4_mapped() {
        return v4.into();
    }
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        // NAT64 (RFC 6052), IPv4-compatible (RFC 4291, deprecated) and 6to4 (RFC 3056).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        _ => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Globally reachable according to the IANA registry of special-purpose IPv4 addresses.
fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    !(a == 0
        || v4.is_private()
        || v4.is_loopback()
        // Clouds serve the credentials of their machines at 169.254.169.254.
        || v4.is_link_local()
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || v4.is_documentation()
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (18..20).contains(&b))
        // Azure's services for its own machines have a public address (Microsoft Learn: "What is IP address 168.63.129.16?").
        || v4 == Ipv4Addr::new(168, 63, 129, 16)
        // Multicast, reserved and broadcast.
        || a >= 224)
}

/// Global unicast is 2000::/3 (RFC 4291), except reserved ranges.
fn is_public_v6(v6: Ipv6Addr) -> bool {
    match v6.segments() {
        // Protocol assignments, Teredo and ORCHID (RFC 2928, 4380, 7343).
        [0x2001, second, ..] if second < 0x200 => false,
        // Documentation (RFC 3849, RFC 9637).
        [0x2001, 0xdb8, ..] => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    #[test]
    fn a_name_may_resolve_to_public_addresses_only() {
        for (text, allowed) in [
            ("101.53.160.1", true),
            ("8.8.8.8", true),
            ("172.15.0.1", true),
            ("172.32.0.1", true),
            ("2600:1f18::1", true),
            ("2a00:1450:4001::1", true),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::808:808", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("100.100.100.200", false),
            ("127.0.0.1", false),
            ("127.9.9.9", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("192.0.0.192", false),
            ("192.0.2.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("168.63.129.15", true),
            ("168.63.129.16", false),
            ("::ffff:168.63.129.16", false),
            ("64:ff9b::a83f:8110", false),
            ("2600:1f18::5efe:8.8.8.8", false),
            ("2600:1f18::200:5efe:8.8.8.8", false),
            ("2600:1f18::5efe:10.0.0.1", false),
            ("2600:1f18::200:5efe:169.254.169.254", false),
            ("2600:1f18::100:5efe:8.8.8.8", true),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("::ffff:10.0.0.1", false),
            ("::7f00:1", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("64:ff9b:1::1", false),
            ("2002:7f00:1::1", false),
            ("2001:0:1::1", false),
            ("2001:db8::1", false),
            ("3fff::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("100::1", false),
        ] {
            assert_eq!(Reachable::default().contains(text.parse().unwrap()), allowed, "{text}");
        }
    }

    #[test]
    fn a_policy_may_allow_a_private_range_and_nothing_more() {
        let policy = Policy::from_toml("allowed_private_ranges = [\"10.20.0.0/16\"]").unwrap();
        for (text, allowed) in [
            ("10.20.3.4", true),
            ("::ffff:10.20.3.4", true),
            ("10.21.3.4", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
        ] {
            let reachable = Reachable::new(&policy.allowed_private_ranges, &policy.nat64_prefixes);
            assert_eq!(reachable.contains(text.parse().unwrap()), allowed, "{text}");
        }
    }

    #[test]
    fn an_address_under_a_policys_nat64_prefix_is_judged_by_the_ipv4_address_in_it() {
        // The examples of RFC 6052, section 2.4, for 192.0.2.33, with further addresses in its place.
        for (prefix, public, private, metadata) in [
            ("2a00:db8::/32", "2a00:db8:808:808::", "2a00:db8:a00:1::", "2a00:db8:a9fe:a9fe::"),
            ("2a00:db8:100::/40", "2a00:db8:108:808:8::", "2a00:db8:10a:0:1::", "2a00:db8:1a9:fea9:fe::"),
            (
                "2a00:db8:122::/48",
                "2a00:db8:122:808:8:800::",
                "2a00:db8:122:a00:0:100::",
                "2a00:db8:122:a9fe:a9:fe00::",
            ),
            (
                "2a00:db8:122:300::/56",
                "2a00:db8:122:308:8:808::",
                "2a00:db8:122:30a:0:1::",
                "2a00:db8:122:3a9:fe:a9fe::",
            ),
            (
                "2a00:db8:122:344::/64",
                "2a00:db8:122:344:8:808:800:0",
                "2a00:db8:122:344:a:0:100:0",
                "2a00:db8:122:344:a9:fea9:fe00:0",
            ),
            (
                "2a00:db8:122:344::/96",
                "2a00:db8:122:344::8.8.8.8",
                "2a00:db8:122:344::10.0.0.1",
                "2a00:db8:122:344::169.254.169.254",
            ),
            ("fd00:64::/96", "fd00:64::8.8.8.8", "fd00:64::10.0.0.1", "fd00:64::169.254.169.254"),
        ] {
            let policy = format!("nat64_prefixes = [\"{prefix}\"]");
            let with_private = format!("{policy}\nallowed_private_ranges = [\"10.0.0.0/8\"]");
            for (policy, allows_private) in [(policy, false), (with_private, true)] {
                let policy = Policy::from_toml(&policy).unwrap();
                let reachable = Reachable::new(&policy.allowed_private_ranges, &policy.nat64_prefixes);
                for (address, allowed) in [(public, true), (private, allows_private), (metadata, false)] {
                    assert_eq!(reachable.contains(address.parse().unwrap()), allowed, "{address} under {prefix}");
                }
            }
        }
        for prefix in ["2a00::/31", "2a00:db8::/33", "2a00:db8::1/96", "2a00:db8:0:0:100::/96", "10.0.0.0/8", "::/0"] {
            assert!(Policy::from_toml(&format!("nat64_prefixes = [\"{prefix}\"]")).is_err(), "{prefix}");
        }
    }
}
