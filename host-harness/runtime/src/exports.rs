//! Finds the contract's functions in a component, and the optional interfaces that it has.
//!
//! `bindgen!` generates the imports, but not this: its `with:` maps types of imported interfaces only. The records that
//! `settings`, `connection` and `guidance` declare would be generated again without our JSON form, and converted at every
//! call. (The type checks of whole interfaces, which `bindgen!` makes at every call, do not matter: a booking takes 79 µs with
//! and without them, the minimum of 12,000 calls in release.)

use serde::Serialize;
use wasmtime::component::{Component, ComponentExportIndex};

/// Index of each function of the contract; `None` for those of interfaces that the plugin does not have.
pub(crate) struct Functions {
    pub(crate) on_booking_completed: ComponentExportIndex,
    pub(crate) list_lead_fields: ComponentExportIndex,
    pub(crate) settings: Option<SettingsFunctions>,
    pub(crate) connection: Option<ConnectionFunctions>,
    pub(crate) guidance: Option<GuidanceFunctions>,
}

pub(crate) struct SettingsFunctions {
    pub(crate) list_targets: ComponentExportIndex,
    pub(crate) options: ComponentExportIndex,
    pub(crate) list_choices: ComponentExportIndex,
    pub(crate) preview: ComponentExportIndex,
    pub(crate) check_mapping: ComponentExportIndex,
}

pub(crate) struct ConnectionFunctions {
    pub(crate) check: ComponentExportIndex,
    pub(crate) explain: ComponentExportIndex,
}

pub(crate) struct GuidanceFunctions {
    pub(crate) advice: ComponentExportIndex,
    pub(crate) codes: ComponentExportIndex,
}

/// The optional interfaces of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OptionalExports {
    /// `settings`: targets, options, preview, check of mappings.
    pub settings: bool,
    /// `connection`: the doctor, and explanations of authorization errors.
    pub connection: bool,
    /// `guidance`: help for people.
    pub guidance: bool,
}

/// An interface that a component exports.
struct Interface<'c> {
    component: &'c Component,
    name: &'static str,
    index: ComponentExportIndex,
}

impl<'c> Interface<'c> {
    fn find(component: &'c Component, name: &'static str) -> Option<Self> {
        let index = component.get_export_index(None, &*format!("scheduling:crm/{name}@0.1.0"))?;
        Some(Self { component, name, index })
    }

    fn function(&self, name: &str) -> Result<ComponentExportIndex, String> {
        let found = self.component.get_export_index(Some(&self.index), name);
        found.ok_or_else(|| format!("no function `{name}` in `{}`", self.name))
    }
}

impl Functions {
    pub(crate) fn find(component: &Component) -> Result<Self, String> {
        let leads = Interface::find(component, "leads").ok_or("no interface `leads`")?;
        let settings = |settings: Interface<'_>| {
            Ok::<_, String>(SettingsFunctions {
                list_targets: settings.function("list-targets")?,
                options: settings.function("options")?,
                list_choices: settings.function("list-choices")?,
                preview: settings.function("preview")?,
                check_mapping: settings.function("check-mapping")?,
            })
        };
        let connection = |connection: Interface<'_>| {
            Ok::<_, String>(ConnectionFunctions {
                check: connection.function("check")?,
                explain: connection.function("explain")?,
            })
        };
        let guidance = |guidance: Interface<'_>| {
            Ok::<_, String>(GuidanceFunctions {
                advice: guidance.function("advice")?,
                codes: guidance.function("codes")?,
            })
        };
        Ok(Self {
            on_booking_completed: leads.function("on-booking-completed")?,
            list_lead_fields: leads.function("list-lead-fields")?,
            settings: Interface::find(component, "settings").map(settings).transpose()?,
            connection: Interface::find(component, "connection").map(connection).transpose()?,
            guidance: Interface::find(component, "guidance").map(guidance).transpose()?,
        })
    }

    /// The optional interfaces that were found.
    pub(crate) fn optional(&self) -> OptionalExports {
        OptionalExports {
            settings: self.settings.is_some(),
            connection: self.connection.is_some(),
            guidance: self.guidance.is_some(),
        }
    }
}
