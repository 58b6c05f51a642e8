//! Places in Salesforce Setup, by the labels that people see there.

use super::cause::{Words, words};

/// Fields of the Lead object.
pub const LEAD_FIELDS: Words = words(
    "Setup > Object Manager > Lead > Fields & Relationships",
    "設定 > オブジェクトマネージャー > リード > 項目とリレーション",
);
