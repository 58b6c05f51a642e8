//! Where a component has the contract's functions, and which optional interfaces it has.

use serde::Serialize;
use wasmtime::component::{Component, ComponentExportIndex};

/// Where each function of the contract is; `None` for those of interfaces that the plugin does not have.
pub(crate) struct Functions {
    pub(crate) on_booking_completed: ComponentExportIndex,
    pub(crate) list_lead_fields: ComponentExportIndex,
    pub(crate) settings: Option<SettingsFunctions>,
    pub(crate) connection: Option<ConnectionFunctions>,
    pub(crate) guidance: Option<GuidanceFunctions>,
}

pub(crate) struct SettingsFunctions {
    pub(crate) preview: ComponentExportIndex,
    pub(crate) check_mapping: ComponentExportIndex,
    pub(crate) options: ComponentExportIndex,
}

pub(crate) struct ConnectionFunctions {
    pub(crate) check: ComponentExportIndex,
    pub(crate) explain: ComponentExportIndex,
}

pub(crate) struct GuidanceFunctions {
    pub(crate) advice: ComponentExportIndex,
    pub(crate) codes: ComponentExportIndex,
}

/// Which optional interfaces a plugin has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OptionalExports {
    /// `settings`: preview, check of mappings, options.
    pub settings: bool,
    /// `connection`: the doctor, and explanations of authorisation errors.
    pub connection: bool,
    /// `guidance`: help for people.
    pub guidance: bool,
}

impl Functions {
    pub(crate) fn find(component: &Component) -> Result<Self, String> {
        let interface = |name: &str| component.get_export_index(None, &*format!("scheduling:crm/{name}@0.1.0"));
        let function = |interface_name: &str, name: &str| {
            let instance = interface(interface_name).ok_or_else(|| format!("no interface `{interface_name}`"))?;
            component
                .get_export_index(Some(&instance), name)
                .ok_or_else(|| format!("no function `{name}` in `{interface_name}`"))
        };
        let has = |name: &str| interface(name).is_some();
        Ok(Self {
            on_booking_completed: function("leads", "on-booking-completed")?,
            list_lead_fields: function("leads", "list-lead-fields")?,
            settings: if has("settings") {
                Some(SettingsFunctions {
                    preview: function("settings", "preview")?,
                    check_mapping: function("settings", "check-mapping")?,
                    options: function("settings", "options")?,
                })
            } else {
                None
            },
            connection: if has("connection") {
                Some(ConnectionFunctions {
                    check: function("connection", "check")?,
                    explain: function("connection", "explain")?,
                })
            } else {
                None
            },
            guidance: if has("guidance") {
                Some(GuidanceFunctions {
                    advice: function("guidance", "advice")?,
                    codes: function("guidance", "codes")?,
                })
            } else {
                None
            },
        })
    }
}

impl Functions {
    /// Which optional interfaces there are.
    pub(crate) fn optional(&self) -> OptionalExports {
        OptionalExports {
            settings: self.settings.is_some(),
            connection: self.connection.is_some(),
            guidance: self.guidance.is_some(),
        }
    }
}
