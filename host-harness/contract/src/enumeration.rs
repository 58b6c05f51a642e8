//! Enums without payload: their names in WIT, and the constructor that `wit-bindgen` calls.

/// Declares an enum of the contract. Each case is followed by its name in WIT; in JSON it is `snake_case`.
macro_rules! enumeration {
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $($(#[$case_doc:meta])* $case:ident = $wit:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(enum))]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum $name {
            $($(#[$case_doc])* #[cfg_attr(feature = "component", component(name = $wit))] $case,)+
        }

        #[cfg(feature = "guest")]
        impl $name {
            #[doc(hidden)]
            pub fn _lift(discriminant: u8) -> Self {
                match discriminant {
                    $(case if case == Self::$case as u8 => Self::$case,)+
                    // The canonical ABI traps on any other number before it calls a guest.
                    _ => unreachable!("no such case"),
                }
            }
        }
    };
}

pub(crate) use enumeration;
