//! Validates a component, and counts what makes a compiler slow, before anything is compiled.
//!
//! Cranelift's time is not linear in a function's size: it solves for each value at each branch. A few kilobytes of nested loops
//! with many locals keep it busy for a minute. So functions are capped by the product, as well as by their parts. Each limit is
//! some six times what the largest known plugin has, given in brackets; what the encoder decides has less room.

use serde::Serialize;
use wasmparser::{
    CompositeInnerType, FuncToValidate, FuncValidatorAllocations, FunctionBody, Operator, OperatorsReader, Parser,
    Payload, ValidPayload, Validator, ValidatorResources,
};

use crate::inspect::{InspectError, features};

/// Something that makes a component slow to compile: how much of it there is, and how much is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capped {
    /// What is counted.
    pub what: &'static str,
    /// How much of it was found.
    pub count: u64,
    /// The most that is accepted.
    pub limit: u64,
}

impl Capped {
    fn new(limit: u64, what: &'static str) -> Self {
        Self { what, limit, count: 0 }
    }

    /// Counts some more.
    fn add(&mut self, more: u64) -> Result<(), InspectError> {
        self.raise_to(self.count.saturating_add(more))
    }

    /// Counts what is limited for each function, or at each level, and not in all.
    fn raise_to(&mut self, count: u64) -> Result<(), InspectError> {
        self.count = self.count.max(count);
        let Self { what, limit, count } = *self;
        if count > limit { Err(InspectError::TooComplex { what, count, limit }) } else { Ok(()) }
    }
}

/// A counter for each limit. The table below has its meaning, its limit, and what it is called.
macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $limit:expr, $what:literal;)*) => {
        /// What was counted in a component.
        #[derive(Debug)]
        struct Complexity {
            $($(#[$doc])* $name: Capped,)*
        }

        impl Complexity {
            fn new() -> Self {
                Self { $($name: Capped::new($limit, $what),)* }
            }

            fn all(self) -> Vec<Capped> {
                vec![$(self.$name),*]
            }
        }
    };
}

limits! {
    /// Components and modules in each other. The encoder makes two levels. [2]
    nesting: 4, "levels of components and modules in each other";
    /// Core modules: the plugin, its adapter, shims and fixups of the encoder. [3]
    modules: 16, "core modules";
    /// Components in the component: the encoder makes one for each exported interface. [4]
    components: 32, "nested components";
    /// Instances of modules and components. Each can double what is known of the one before. [10]
    instances: 64, "instances";
    /// Imports, exports and aliases, which an instance multiplies. [250]
    names: 2_000, "imports, exports and aliases";
    /// Bytes of type sections. Types nest inside of them, so their number says little. [8,006]
    type_bytes: 64 << 10, "bytes of types";
    /// Parameters and results of a core function. One byte of a call or of a block can make as many values. [14]
    signature: 100, "parameters and results of a function";
    /// Functions of all modules, and those lifted and lowered. Each has a fixed cost. [481]
    functions: 4_000, "functions";
    /// Bytes of a function's body. [23,941]
    body_bytes: 128 << 10, "bytes in a function";
    /// Bytes of all bodies. [271,249]
    code_bytes: 2 << 20, "bytes of code";
    /// Locals of a function, with its parameters. [68]
    locals: 500, "locals in a function";
    /// Operands on the stack of a function. A call of two bytes can push a hundred. [15]
    operands: 200, "operands on the stack of a function";
    /// Loops of a function. They cost the most: each is analyzed, and checks the time that is left. [58]
    loops: 500, "loops in a function";
    /// Loops of all functions together. [728]
    loops_in_all: 5_000, "loops";
    /// Blocks, loops and branches of a function. [1,241]
    branches: 10_000, "branches in a function";
    /// Values at the branches of a function: at each, the locals and the operands on the stack. [50,250]
    carried: 400_000, "values at the branches of a function";
    /// The same of all functions together. [343,857]
    carried_in_all: 2_500_000, "values at branches";
    /// Linear memories of all modules. For each, the compiler makes an image of its data. [1]
    memories: 4, "linear memories";
    /// Data and element segments of all modules. [3]
    segments: 100, "data and element segments";
}

impl Complexity {
    /// Counts what a section declares, before it is validated.
    fn section(&mut self, section: &Payload<'_>) -> Result<(), InspectError> {
        let bytes = |range: std::ops::Range<usize>| u64::try_from(range.len()).unwrap_or(u64::MAX);
        match section {
            Payload::ModuleSection { .. } => self.modules.add(1),
            Payload::ComponentSection { .. } => self.components.add(1),
            Payload::InstanceSection(section) => self.instances.add(section.count().into()),
            Payload::ComponentInstanceSection(section) => self.instances.add(section.count().into()),
            Payload::ImportSection(section) => self.names.add(section.count().into()),
            Payload::ExportSection(section) => self.names.add(section.count().into()),
            Payload::ComponentAliasSection(section) => self.names.add(section.count().into()),
            Payload::ComponentImportSection(section) => self.names.add(section.count().into()),
            Payload::ComponentExportSection(section) => self.names.add(section.count().into()),
            Payload::FunctionSection(section) => self.functions.add(section.count().into()),
            Payload::ComponentCanonicalSection(section) => self.functions.add(section.count().into()),
            Payload::CoreTypeSection(section) => self.type_bytes.add(bytes(section.range())),
            Payload::ComponentTypeSection(section) => self.type_bytes.add(bytes(section.range())),
            Payload::TypeSection(section) => {
                self.type_bytes.add(bytes(section.range()))?;
                for group in section.clone() {
                    for ty in group.map_err(invalid)?.types() {
                        if let CompositeInnerType::Func(ty) = &ty.composite_type.inner {
                            self.signature.raise_to(count(ty.params().len() + ty.results().len()))?;
                        }
                    }
                }
                Ok(())
            }
            Payload::MemorySection(section) => self.memories.add(section.count().into()),
            Payload::DataSection(section) => self.segments.add(section.count().into()),
            Payload::ElementSection(section) => self.segments.add(section.count().into()),
            Payload::CodeSectionEntry(body) => {
                self.body_bytes.raise_to(bytes(body.range()))?;
                self.code_bytes.add(bytes(body.range()))
            }
            _ => Ok(()),
        }
    }

    /// Validates a function, and counts the values at its branches.
    fn function(
        &mut self,
        function: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
        allocations: FuncValidatorAllocations,
    ) -> Result<FuncValidatorAllocations, InspectError> {
        let mut validator = function.into_validator(allocations);
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader).map_err(invalid)?;
        let locals = u64::from(validator.len_locals());
        self.locals.raise_to(locals)?;
        let (mut operands, mut loops, mut branches, mut carried) = (0, 0u64, 0u64, 0u64);
        let mut operators = OperatorsReader::new(reader);
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset().map_err(invalid)?;
            let targets = match &operator {
                Operator::Block { .. }
                | Operator::Loop { .. }
                | Operator::If { .. }
                | Operator::Else
                | Operator::Br { .. }
                | Operator::BrIf { .. } => 1,
                Operator::BrTable { targets } => u64::from(targets.len()) + 1,
                _ => 0,
            };
            if matches!(operator, Operator::Loop { .. }) {
                loops += 1;
                self.loops.raise_to(loops)?;
            }
            if targets > 0 {
                branches += targets;
                carried += targets * (locals + u64::from(validator.operand_stack_height()));
                self.branches.raise_to(branches)?;
                self.carried.raise_to(carried)?;
            }
            validator.op(offset, &operator).map_err(invalid)?;
            operands = operands.max(validator.operand_stack_height());
            self.operands.raise_to(operands.into())?;
        }
        operators.finish().map_err(invalid)?;
        self.loops_in_all.add(loops)?;
        self.carried_in_all.add(carried)?;
        Ok(validator.into_allocations())
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn invalid(error: wasmparser::BinaryReaderError) -> InspectError {
    InspectError::Invalid(error.to_string())
}

/// Validates a component, as far as its complexity is accepted, and returns what was counted.
pub(crate) fn validate(bytes: &[u8]) -> Result<Vec<Capped>, InspectError> {
    let mut complexity = Complexity::new();
    let mut validator = Validator::new_with_features(features());
    let mut allocations = FuncValidatorAllocations::default();
    let mut depth = 0u64;
    // Some features change how operators are read.
    let mut parser = Parser::new(0);
    parser.set_features(features());
    for section in parser.parse_all(bytes) {
        let section = section.map_err(invalid)?;
        match section {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        complexity.nesting.raise_to(depth)?;
        complexity.section(&section)?;
        if let ValidPayload::Func(function, body) = validator.payload(&section).map_err(invalid)? {
            allocations = complexity.function(function, &body, allocations)?;
        }
    }
    Ok(complexity.all())
}
