//! The functions that a plugin may call: `secrets` and `http` of the contract. Bindings and linking are generated from
//! `wit/`; [`CallState`] implements them.

use wasmtime::component::{HasSelf, Linker};

use crate::session::CallState;
pub(crate) use scheduling::crm::{
    http, secrets,
    types::{Effect, Parameter},
};

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package host:imports;

        world imports {
            import scheduling:crm/secrets@0.1.0;
            import scheduling:crm/http@0.1.0;
        }
    ",
    imports: {
        "scheduling:crm/secrets@0.1.0.[method]credential.origin": trappable,
        "scheduling:crm/secrets@0.1.0.[method]credential.attribute": trappable,
        default: async | trappable,
    },
    with: { "scheduling:crm/secrets@0.1.0.credential": crate::session::CredentialHandle },
});

/// Links the contract's imports and nothing else.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    // This interface has types only, but components import it.
    linker.instance("scheduling:crm/types@0.1.0")?;
    secrets::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    http::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}
