//! `#[derive(Canonical)]`: a record, variant or enum of the contract, as the canonical ABI lays it out in memory.
//!
//! It stands on the types that `wit-bindgen` generates, which have their fields and cases in the contract's order. The trait is
//! `crate::canonical::Canonical` of the crate that derives.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DataEnum, DataStruct, DeriveInput, Error, Fields, Type, parse_macro_input};

/// Derives `Canonical`: the layout, reading and writing.
#[proc_macro_derive(Canonical)]
pub fn canonical(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let body = match &input.data {
        Data::Struct(record) => Ok(of_record(record)),
        Data::Enum(variant) => of_variant(variant),
        Data::Union(_) => Err(Error::new_spanned(&input, "the contract has no unions")),
    };
    let name = &input.ident;
    body.map_or_else(Error::into_compile_error, |body| {
        quote! {
            impl crate::canonical::Canonical for #name { #body }
        }
    })
    .into()
}

/// Fields follow each other, each at the next place that it may stand at.
fn of_record(record: &DataStruct) -> TokenStream {
    let names: Vec<_> = record.fields.members().collect();
    let types: Vec<&Type> = record.fields.iter().map(|field| &field.ty).collect();
    let places = 0..names.len();
    let (lifted, lowered) = (places.clone(), places);
    let count = names.len();
    quote! {
        const LAYOUT: crate::canonical::Layout =
            crate::canonical::Layout::record(&[#(<#types as crate::canonical::Canonical>::LAYOUT),*]);

        #[inline(never)]
        unsafe fn lift(at: *const u8) -> Self {
            const OFFSETS: [usize; #count] =
                crate::canonical::Layout::offsets([#(<#types as crate::canonical::Canonical>::LAYOUT),*]);
            // SAFETY: each field lies where the record's layout has it.
            unsafe { Self { #(#names: crate::canonical::Canonical::lift(at.add(OFFSETS[#lifted]))),* } }
        }

        #[inline(never)]
        unsafe fn lower(self, to: *mut u8) {
            const OFFSETS: [usize; #count] =
                crate::canonical::Layout::offsets([#(<#types as crate::canonical::Canonical>::LAYOUT),*]);
            // SAFETY: each field lies where the record's layout has it.
            unsafe { #(self.#names.lower(to.add(OFFSETS[#lowered]));)* }
        }
    }
}

/// The number of the case, and then what the case holds.
fn of_variant(variant: &DataEnum) -> syn::Result<TokenStream> {
    let mut payloads = Vec::new();
    let (mut lifted, mut lowered) = (Vec::new(), Vec::new());
    for (number, case) in variant.variants.iter().enumerate() {
        let name = &case.ident;
        let number = u8::try_from(number).map_err(|_| Error::new_spanned(case, "at most 256 cases"))?;
        match &case.fields {
            Fields::Unit => {
                lifted.push(quote!(#number => Self::#name));
                lowered.push(quote!(Self::#name => to.write(#number)));
            }
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                let payload = fields.unnamed.iter().map(|field| &field.ty);
                payloads.extend(payload);
                lifted.push(quote!(#number => Self::#name(crate::canonical::Canonical::lift(at.add(PAYLOAD)))));
                let value = format_ident!("value");
                lowered.push(quote!(Self::#name(#value) => {
                    to.write(#number);
                    #value.lower(to.add(PAYLOAD));
                }));
            }
            _ => return Err(Error::new_spanned(case, "a case holds one value or none")),
        }
    }
    Ok(quote! {
        const LAYOUT: crate::canonical::Layout =
            crate::canonical::Layout::variant(&[#(<#payloads as crate::canonical::Canonical>::LAYOUT),*]);

        #[inline(never)]
        unsafe fn lift(at: *const u8) -> Self {
            #[allow(dead_code, reason = "an enum has none")]
            const PAYLOAD: usize =
                crate::canonical::Layout::payload(&[#(<#payloads as crate::canonical::Canonical>::LAYOUT),*]);
            // SAFETY: the number and what the case holds lie where the variant's layout has them.
            unsafe {
                match at.read() {
                    #(#lifted,)*
                    // A host gives only cases that the contract has.
                    _ => crate::canonical::invalid(),
                }
            }
        }

        #[inline(never)]
        unsafe fn lower(self, to: *mut u8) {
            #[allow(dead_code, reason = "an enum has none")]
            const PAYLOAD: usize =
                crate::canonical::Layout::payload(&[#(<#payloads as crate::canonical::Canonical>::LAYOUT),*]);
            // SAFETY: the number and what the case holds lie where the variant's layout has them.
            unsafe {
                match self {
                    #(#lowered,)*
                }
            }
        }
    })
}
