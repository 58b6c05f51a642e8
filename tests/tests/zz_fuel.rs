//! x
#![allow(clippy::all)]
use acceptance::samples::{self, first_try};
use acceptance::system::{NOW, System};
use anyhow::Result;

#[tokio::test]
async fn fuel_per_row() -> Result<()> {
    let component = std::fs::read("/tmp/s.wasm")?;
    let system = System::of(&component, salesforce_local_org::OrgFile::enterprise()?, Default::default()).await?;
    system.connect().await?;
    let (booking, mapped) = samples::full_booking(&system.fields().await?)?;
    let resolved = mapped.resolve(&booking);
    let base = |n: usize| resolved.mapping.rows[n].clone();
    let fuel = async |rows: Vec<crm_contract::Row>| -> Result<u64> {
        let mut mapping = resolved.mapping.clone();
        mapping.rows = rows;
        let mut booking = resolved.booking.clone();
        booking.id = format!("{}", rand::random::<u64>());
        mapping.options.retain(|o| o.name != "duplicates");
        mapping.options.push(crm_contract::Parameter::new("duplicates", "save-anyway"));
        let called =
            system.plugin.on_booking_completed(&system.connection, &booking, &mapping, &first_try(NOW)).await?;
        called.answer.map_err(|p| anyhow::anyhow!("{p:?}"))?;
        Ok(called.usage.fuel.unwrap())
    };
    let names: Vec<_> = resolved.mapping.rows.iter().map(|r| r.field.clone()).collect();
    let a = names.iter().position(|n| n == "LastName").unwrap();
    let b = names.iter().position(|n| n == "Company").unwrap();
    let start = fuel(vec![base(a), base(b)]).await?;
    println!("base {start}; options {:?}", resolved.mapping.options);
    for (n, row) in resolved.mapping.rows.iter().enumerate() {
        if n == a || n == b {
            continue;
        }
        let f = fuel(vec![base(a), base(b), row.clone()]).await?;
        println!("{:6} {:20} memo {:4} bytes, {:?}", f - start, row.field, row.memo.len(), row.value);
    }
    println!("all {}", fuel(resolved.mapping.rows.clone()).await?);
    Ok(())
}
