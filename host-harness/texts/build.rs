//! A method of `Texts` for every message of `locales/en.ftl`, so that a missing text or value does not compile.

use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser,
};
use std::{env, error::Error, fmt::Write as _, fs, path::Path};

/// Messages that are looked up by the code of an error, and need no method.
const BY_CODE: &str = "code-";

/// Arguments beside `self` above which clippy asks for a reason.
const MOST_ARGUMENTS: usize = 6;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=locales");
    let source = fs::read_to_string("locales/en.ftl")?;
    let resource = parser::parse(source.as_str()).map_err(|(_, errors)| format!("locales/en.ftl: {errors:?}"))?;
    let mut methods = String::from("impl Texts {\n");
    for entry in &resource.body {
        let Entry::Message(message) = entry else { continue };
        let (id, Some(pattern)) = (message.id.name, &message.value) else { continue };
        if id.starts_with(BY_CODE) {
            continue;
        }
        let mut found = Found::default();
        found.read(pattern);
        let (mut parameters, mut values) = (String::new(), String::new());
        for (name, is_number) in &found.variables {
            let kind = if *is_number { "usize" } else { "impl std::fmt::Display" };
            write!(parameters, ", {name}: {kind}")?;
            let value = if *is_number { name.clone() } else { format!("{name}.to_string()") };
            write!(values, "(\"{name}\", FluentValue::from({value})), ")?;
        }
        let method = id.replace('-', "_");
        if found.variables.len() > MOST_ARGUMENTS {
            writeln!(methods, "#[expect(clippy::too_many_arguments, reason = \"the text has as many\")]")?;
        }
        writeln!(methods, "/// {}", found.text.replace(['\n', '[', ']'], " "))?;
        writeln!(methods, "pub fn {method}(&self{parameters}) -> String {{ self.format(\"{id}\", [{values}]) }}")?;
    }
    methods.push('}');
    let folder = env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?;
    Ok(fs::write(Path::new(&folder).join("methods.rs"), methods)?)
}

/// A message's variables in the order in which they occur, each with whether it is a number, and its English text.
#[derive(Default)]
struct Found {
    variables: Vec<(String, bool)>,
    text: String,
}

impl Found {
    fn read(&mut self, pattern: &Pattern<&str>) {
        for element in &pattern.elements {
            match element {
                PatternElement::TextElement { value } => self.text.push_str(value),
                PatternElement::Placeable { expression: Expression::Inline(inline) } => self.inline(inline, false),
                PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                    // Only numbers are selected by.
                    self.inline(selector, true);
                    variants.iter().for_each(|variant| self.read(&variant.value));
                }
            }
        }
    }

    fn inline(&mut self, inline: &InlineExpression<&str>, is_number: bool) {
        if let InlineExpression::VariableReference { id } = inline {
            self.text.push('…');
            match self.variables.iter_mut().find(|(name, _)| name == id.name) {
                Some((_, known)) => *known |= is_number,
                None => self.variables.push((id.name.to_owned(), is_number)),
            }
        }
    }
}
