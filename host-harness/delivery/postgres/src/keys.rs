//! The keys of a ledger, in the database.

use crm_seal::{Key, LedgerKeys, WrappedKey};
use tokio_postgres::{Client, GenericClient};

use crate::{OpenError, schema::LOCK};

/// Opens the keys with one of those that may be the processes', or makes them with the first. Of several processes, one makes them.
pub(crate) async fn open(client: &mut Client, outer: &[Key]) -> Result<LedgerKeys, OpenError> {
    let found = rows(client).await?;
    if !found.is_empty() {
        return LedgerKeys::open(&found, outer).map_err(|_| OpenError::WrongKey);
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    let mut found = rows(&transaction).await?;
    if found.is_empty() {
        let first = outer.first().ok_or(OpenError::WrongKey)?;
        found = LedgerKeys::make(first).map_err(|error| OpenError::NoRandom(error.to_string()))?;
        put(&transaction, &found).await?;
        transaction.commit().await?;
    }
    LedgerKeys::open(&found, outer).map_err(|_| OpenError::WrongKey)
}

async fn rows(client: &impl GenericClient) -> Result<Vec<WrappedKey>, OpenError> {
    let rows = client.query_typed("SELECT name, sealed_with, sealed FROM crm_ledger.key", &[]).await?;
    let wrapped = rows
        .iter()
        .map(|row| Ok(WrappedKey { name: row.try_get(0)?, sealed_with: row.try_get(1)?, sealed: row.try_get(2)? }));
    wrapped.collect()
}

async fn put(client: &impl GenericClient, keys: &[WrappedKey]) -> Result<(), OpenError> {
    for WrappedKey { name, sealed_with, sealed } in keys {
        let insert = "INSERT INTO crm_ledger.key (name, sealed_with, sealed) VALUES ($1, $2, $3)
             ON CONFLICT (name, sealed_with) DO UPDATE SET sealed = excluded.sealed";
        client.execute(insert, &[name, sealed_with, sealed]).await?;
    }
    Ok(())
}

/// Seals the keys with a further one. Both open them until [`retire`].
pub(crate) async fn add(client: &mut Client, present: &[Key], next: &Key) -> Result<(), OpenError> {
    open(client, present).await?;
    let transaction = client.transaction().await?;
    let wrapped = LedgerKeys::rewrap(&rows(&transaction).await?, present, next).map_err(|_| OpenError::WrongKey)?;
    put(&transaction, &wrapped).await?;
    transaction.commit().await?;
    Ok(())
}

/// Removes what was sealed with other keys than the present one.
pub(crate) async fn retire(client: &mut Client, present: &Key) -> Result<(), OpenError> {
    open(client, std::slice::from_ref(present)).await?;
    let delete = "DELETE FROM crm_ledger.key WHERE sealed_with <> $1";
    client.execute(delete, &[&present.fingerprint().as_slice()]).await?;
    Ok(())
}
