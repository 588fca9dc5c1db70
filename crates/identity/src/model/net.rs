//! Address ranges a key may be used from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// A block of addresses, such as `203.0.113.0/24`, `2001:db8::/32` or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

/// Why a text is not an address range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// Neither an IPv4 nor an IPv6 address before the slash.
    #[error("write an address or a range, such as 203.0.113.7 or 203.0.113.0/24")]
    Address,
    /// The number after the slash is missing or too large.
    #[error("the prefix length is at most 32 for IPv4 and 128 for IPv6")]
    Prefix,
    /// Bits behind the prefix are set: probably not the range that was meant.
    #[error("the address has bits set beyond the prefix length")]
    HostBits,
}

impl Cidr {
    /// Reads a range. Bits behind the prefix must be zero, so that what is stored is what was meant.
    pub fn parse(text: &str) -> Result<Self, CidrError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let network: IpAddr = address.parse().map_err(|_| CidrError::Address)?;
        let widest = width(network);
        let prefix = match prefix {
            None => widest,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| CidrError::Prefix)?
            }
            Some(_) => return Err(CidrError::Prefix),
        };
        if prefix > widest {
            return Err(CidrError::Prefix);
        }
        if masked(network, prefix) != network {
            return Err(CidrError::HostBits);
        }
        Ok(Self { network, prefix })
    }

    /// Whether `address` lies in the range. An IPv4 address that arrived as `::ffff:a.b.c.d` counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.network) && masked(address, self.prefix) == self.network
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        // `checked_shl` because a shift by the whole width is what /0 means and what `<<` refuses.
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

/// The block an anonymous caller is counted by: a single IPv4 address, or the /64 an IPv6 host can roam in freely.
pub fn throttle_block(address: IpAddr) -> IpAddr {
    let address = address.to_canonical();
    masked(address, if address.is_ipv4() { 32 } else { 64 })
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl TryFrom<String> for Cidr {
    type Error = CidrError;
    fn try_from(text: String) -> Result<Self, CidrError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_hold_their_addresses_and_no_others() {
        for (range, inside, outside) in [
            ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
            ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
        ] {
            let range = Cidr::parse(range).unwrap();
            assert!(range.contains(ip(inside)), "{range} should hold {inside}");
            assert!(!range.contains(ip(outside)), "{range} should not hold {outside}");
        }
    }

    #[test]
    fn what_is_not_a_range_is_refused() {
        for (text, error) in [
            ("", CidrError::Address),
            ("localhost", CidrError::Address),
            ("10.0.0.1/33", CidrError::Prefix),
            ("::/129", CidrError::Prefix),
            ("10.0.0.0/", CidrError::Prefix),
            ("10.0.0.0/+8", CidrError::Prefix),
            ("10.0.0.0/8/8", CidrError::Prefix),
            ("10.0.0.1/8", CidrError::HostBits),
        ] {
            assert_eq!(Cidr::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn ipv6_callers_are_counted_by_their_64() {
        assert_eq!(throttle_block(ip("2001:db8::1:2:3:4")), throttle_block(ip("2001:db8::9")));
        assert_ne!(throttle_block(ip("10.0.0.1")), throttle_block(ip("10.0.0.2")));
        assert_eq!(throttle_block(ip("::ffff:10.0.0.1")), ip("10.0.0.1"));
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(bits in any::<u128>(), prefix in 0_u8..=128) {
            let network = masked(IpAddr::V6(Ipv6Addr::from_bits(bits)), prefix);
            let text = format!("{network}/{prefix}");
            let read = Cidr::parse(&text).unwrap();
            prop_assert_eq!(Cidr::parse(&read.to_string()), Ok(read));
            // A mapped IPv4 address is judged as IPv4, so it lies in no IPv6 range.
            prop_assert_eq!(read.contains(network), network.to_canonical().is_ipv6());
        }
    }
}
