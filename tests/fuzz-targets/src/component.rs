//! Component files, before anything of them is compiled.

use crm_host::{InspectError, Inspection, full_message, fuzzing};
use wasm_encoder::{
    CodeSection, Component, ConstExpr, FunctionSection, GlobalSection, GlobalType, MemorySection, MemoryType, Module,
    ModuleSection, RawSection, TypeSection, ValType,
};

/// A file is refused, or what is read of it holds: what the limits accept, the validator accepts too, and what is refused as invalid,
/// it refuses.
///
/// After a first byte `f` the input is a function's body, after `s` a section of the component: its number and its contents. Otherwise
/// it is the file.
pub fn component(input: &[u8]) {
    match input {
        [b'f', body @ ..] => inspect(&with_function(body)),
        [b's', id, data @ ..] => {
            let mut component = Component::new();
            component.section(&RawSection { id: *id, data });
            inspect(&component.finish());
        }
        file => inspect(file),
    }
}

fn inspect(file: &[u8]) {
    match Inspection::read(file) {
        Ok(inspection) => {
            assert_eq!((inspection.bytes, inspection.sha256.len()), (file.len(), 64));
            match inspection.check(file) {
                Ok(()) => {
                    assert!(inspection.manifest().is_ok() && fuzzing::is_valid(file));
                    assert!(inspection.imports.iter().all(|name| name.starts_with("scheduling:crm/")));
                }
                Err(error) => assert!(!error.code().is_empty() && !full_message(&error).is_empty()),
            }
        }
        Err(error) => assert!(!error.code().is_empty() && !full_message(&error).is_empty()),
    }
    match Inspection::complexity(file) {
        Ok(counts) => {
            assert!(counts.iter().all(|counted| counted.count <= counted.limit), "{counts:?}");
            assert!(fuzzing::is_valid(file), "accepted, and invalid");
        }
        Err(InspectError::TooComplex { count, limit, .. }) => assert!(count > limit),
        Err(error) => assert!(!fuzzing::is_valid(file), "refused, and valid: {error}"),
    }
}

/// A component of a module whose function 0 has this body.
fn with_function(body: &[u8]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    types.ty().function([], []);
    types.ty().function([ValType::I32; 3], [ValType::I64; 9]);
    let mut functions = FunctionSection::new();
    functions.function(0).function(2);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut globals = GlobalSection::new();
    globals.global(GlobalType { val_type: ValType::I32, mutable: true, shared: false }, &ConstExpr::i32_const(0));
    let mut code = CodeSection::new();
    // No locals, `unreachable`, `end`.
    code.raw(body).raw(&[0, 0x00, 0x0b]);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memories).section(&globals).section(&code);
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    component.finish()
}
