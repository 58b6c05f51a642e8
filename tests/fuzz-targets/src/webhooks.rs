//! Bodies that schedulers send.

use crm_booking::attributes;
use crm_intake::{FORMATS, Intake as _, Native, Received};
use jiff::{Timestamp, civil};
use salesforce_leads::bindings::types::Value;

/// A body is a booking, or a fault names its place. A booking survives JSON, and each of its attributes has the form of its type.
pub fn webhooks(input: &[u8]) {
    let Ok(body) = std::str::from_utf8(input) else { return };
    for format in FORMATS {
        let booking = match format.read(body, None) {
            Ok(Received::Booking(reading)) => reading.booking,
            Ok(Received::Ignored { .. }) => continue,
            Err(fault) => {
                assert!(!fault.to_string().is_empty() && !fault.reason.is_empty());
                continue;
            }
        };
        let json = serde_json::to_string(&booking).expect("a booking is JSON");
        assert_eq!(
            Native.read(&json, None).map(Received::booking).map(|read| read.map(|read| read.booking)).as_ref(),
            Ok(&Some(booking.clone())),
            "{}: {json}",
            format.name()
        );
        for name in attributes::names() {
            let text = attributes::text(&booking, name);
            let fits = match attributes::value(&booking, name) {
                Some(Value::Date(date)) => date.parse::<civil::Date>().is_ok(),
                Some(Value::Time(time)) => time.parse::<civil::Time>().is_ok(),
                Some(Value::Moment(moment)) => moment.parse::<Timestamp>().is_ok(),
                Some(Value::Number(number)) => number.parse::<f64>().is_ok(),
                _ => true,
            };
            assert!(fits, "{}: {name} is {text:?}", format.name());
        }
    }
}
