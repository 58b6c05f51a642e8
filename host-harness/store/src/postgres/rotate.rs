//! Rotating the sealing key: in one transaction, while no other machine writes.

use crm_host::credentials::StoreError;
use tokio_postgres::types::Type;

use super::{Inner, Seal, schema::LOCK, show, unavailable};
use crate::{
    Key, OpenError, Rotated,
    table::{Opened, SealedFor, Table},
};

pub(super) async fn reseal(inner: &Inner, key: &Key) -> Result<Rotated, OpenError> {
    let mut client = inner.client().await?;
    let transaction = client.transaction().await.map_err(unavailable)?;
    transaction.batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await.map_err(unavailable)?;
    let shown = super::shown(&*transaction).await.map_err(unavailable)?;
    let (old, next) = (inner.seal(shown.as_deref())?, Seal::new(key.clone(), show(key, &inner.store)?));
    if old.key.bytes() == key.bytes() {
        return Err(OpenError::SameKey);
    }
    let mut rotated = Rotated { rows: 0, damaged: 0 };
    for table in Table::ALL {
        let (columns, name) = (table.columns(), table.name());
        let select = format!("SELECT generation, sealed, {} FROM crm_grants.{name}", columns.join(", "));
        let (mut generations, mut resealed) = (Vec::new(), Vec::new());
        for row in transaction.query_typed(&select, &[]).await.map_err(unavailable)? {
            let generation = row.try_get(0).map_err(unavailable)?;
            let names = (2..2 + columns.len()).map(|column| row.try_get(column)).collect::<Result<Vec<&str>, _>>();
            let place = SealedFor { store: &inner.store, table, row: &names.map_err(unavailable)?, generation };
            match place.open(&old.sealer, row.try_get(1).map_err(unavailable)?) {
                Ok(Opened { plain, .. }) => {
                    generations.push(generation);
                    resealed.push(place.seal(&next.sealer, &plain)?);
                }
                Err(StoreError::Unreadable(_)) => rotated.damaged += 1,
                Err(error) => return Err(error.into()),
            }
        }
        rotated.rows += generations.len();
        // A damaged row that has another one's generation gets what does not open there either.
        let update = format!(
            "UPDATE crm_grants.{name} AS old SET sealed = next.sealed
             FROM unnest($1, $2) AS next (generation, sealed) WHERE old.generation = next.generation"
        );
        let values: super::rows::Values<'_> = vec![(&generations, Type::INT8_ARRAY), (&resealed, Type::BYTEA_ARRAY)];
        transaction.execute_typed(&update, &values).await.map_err(unavailable)?;
    }
    let update = "UPDATE crm_grants.store SET sealed = $1";
    transaction.execute_typed(update, &[(&next.shown, Type::BYTEA)]).await.map_err(unavailable)?;
    transaction.commit().await.map_err(unavailable)?;
    inner.use_seal(next);
    Ok(rotated)
}
