//! What a plugin may call: `secrets` and `http` of the contract.

use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource, ResourceType},
};

use crate::{
    session::{CallState, CredentialHandle},
    types::http::{Failure, Request, Response, SecretError},
};

/// Links the contract's imports and nothing else.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    // Types only: it must be there, and has nothing in it.
    linker.instance("scheduling:crm/types@0.1.0")?;

    let mut secrets = linker.instance("scheduling:crm/secrets@0.1.0")?;
    secrets.resource("credential", ResourceType::host::<CredentialHandle>(), |mut store, handle| {
        store.data_mut().close(Resource::new_own(handle))
    })?;
    secrets.func_wrap_async("open", |mut store: StoreContextMut<'_, CallState>, (name,): (String,)| {
        Box::new(async move {
            let opened: Result<Resource<CredentialHandle>, SecretError> = store.data_mut().open(&name).await?;
            Ok((opened,))
        })
    })?;
    secrets.func_wrap(
        "[method]credential.attribute",
        |store: StoreContextMut<'_, CallState>, (credential, name): (Resource<CredentialHandle>, String)| {
            Ok((store.data().attribute(&credential, &name)?,))
        },
    )?;

    let mut http = linker.instance("scheduling:crm/http@0.1.0")?;
    http.func_wrap_async(
        "send",
        |mut store: StoreContextMut<'_, CallState>,
         (request, credential): (Request, Option<Resource<CredentialHandle>>)| {
            Box::new(async move {
                let answer: Result<Response, Failure> = store.data_mut().send(request, credential).await?;
                Ok((answer,))
            })
        },
    )?;
    Ok(())
}
