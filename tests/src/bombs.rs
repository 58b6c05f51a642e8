//! Components that are small to send and costly to load: the contract's world, and beside it what no plugin needs.

use crate::guests::{that_never_starts, with_component, with_modules};
use anyhow::Result;
use wasm_encoder::{
    BlockType, CodeSection, Component, ConstExpr, DataSection, ExportKind, ExportSection, Function, FunctionSection,
    Instruction, MemorySection, MemoryType, Module, NestedComponentSection, TypeSection, ValType,
};

/// A component that is costly to load.
pub struct Bomb {
    /// What makes it so.
    pub name: String,
    /// The file.
    pub component: Vec<u8>,
}

/// Bombs that a limit on complexity refuses, each by a different one.
pub fn refused() -> Result<Vec<(Bomb, &'static str)>> {
    let mut bombs = Vec::new();
    let mut add = |name: &str, what, component| {
        bombs.push((Bomb { name: name.to_owned(), component }, what));
    };
    for depth in [4, 100, 5_000] {
        add(&format!("{depth} components in each other"), "levels of components", nested(depth)?);
    }
    for kilobytes in [9, 18, 72] {
        let n = kilobytes * 1024 / 18;
        let name = format!("+{kilobytes} KB of loops and locals");
        add(&name, "locals in a function", with_modules(&[&loops_and_locals(1, n, n)], 0)?);
    }
    let what = "values at the branches of a function";
    add("480 loops and locals", what, with_modules(&[&loops_and_locals(1, 480, 480)], 0)?);
    add("4,900 loops and 40 locals", "loops in a function", with_modules(&[&loops_and_locals(1, 4_900, 40)], 0)?);
    add("75 functions of 490 loops", "loops", with_modules(&[&loops_and_locals(75, 490, 20)], 0)?);
    add("9,000 branches with 150 operands", what, with_modules(&[&switch(1, 9_000, 150)], 0)?);
    add("calls with 99 values", "operands on the stack", with_modules(&[&wide_calls(99, 30_000)], 0)?);
    add("many branches with operands", "values at branches", with_modules(&[&switch(20, 1_980, 150)], 0)?);
    add("100,000 types", "bytes of types", with_modules(&[&types(100_000)], 0)?);
    add("30,000 functions", "functions", with_modules(&[&straight(30_000, 3)], 0)?);
    add("3 MB of code", "bytes of code", with_modules(&[&straight(3_500, 860)], 0)?);
    add("3 MB in a function", "bytes in a function", with_modules(&[&straight(1, 3_000_000)], 0)?);
    add("blocks with 1,000 values", "parameters and results", with_modules(&[&wide_calls(1_000, 1_000)], 0)?);
    add("20,000 branches", "branches in a function", with_modules(&[&switch(1, 20_000, 0)], 0)?);
    add("500 instances", "instances", with_modules(&[&types(1)], 500)?);
    add("50 modules", "core modules", with_modules(&vec![&types(1); 50], 0)?);
    add("50 components", "nested components", siblings(50)?);
    add("5,000 exports", "imports, exports and aliases", with_modules(&[&exports(5_000)], 0)?);
    add("5,000 pieces of data", "data and element segments", with_modules(&[&data(5_000)], 0)?);
    add("8 images of memory", "linear memories", with_modules(&[&sparse_memory(); 8], 0)?);
    Ok(bombs)
}

/// The costliest components that the limits on complexity accept.
pub fn accepted() -> Result<Vec<Bomb>> {
    let bomb = |name: &str, component| Bomb { name: name.to_owned(), component };
    Ok(vec![
        bomb("2 MB of code", with_modules(&[&straight(3_900, 530)], 0)?),
        bomb("128 KB functions", with_modules(&[&straight(15, 130_000)], 0)?),
        bomb("440 loops and locals", with_modules(&[&loops_and_locals(6, 440, 440)], 0)?),
        bomb("490 loops and 400 locals", with_modules(&[&loops_and_locals(6, 490, 400)], 0)?),
        bomb("10 functions of 490 loops", with_modules(&[&loops_and_locals(10, 490, 200)], 0)?),
        bomb("1,980 branches with 199 operands", with_modules(&[&switch(6, 1_980, 198)], 0)?),
        bomb("9,900 branches with 38 operands", with_modules(&[&switch(6, 9_900, 38)], 0)?),
        bomb("3 images of memory", with_modules(&[&sparse_memory(); 3], 0)?),
        bomb("50 instances", with_modules(&[&types(1)], 50)?),
        bomb("start code without end", that_never_starts()?),
    ])
}

fn nested(depth: usize) -> Result<Vec<u8>> {
    let mut component = Component::new();
    for _ in 1..depth {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&component));
        component = outer;
    }
    with_component(&component)
}

fn siblings(number: usize) -> Result<Vec<u8>> {
    let mut outer = Component::new();
    for _ in 0..number {
        outer.section(&NestedComponentSection(&Component::new()));
    }
    with_component(&outer)
}

/// A module of the same function several times, of type 0.
fn module(types: &TypeSection, copies: usize, function: &Function) -> Module {
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    for _ in 0..copies {
        functions.function(0);
        code.function(function);
    }
    let mut module = Module::new();
    module.section(types).section(&functions).section(&code);
    module
}

fn nullary() -> TypeSection {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types
}

/// Functions of loops, each of which changes a local.
fn loops_and_locals(copies: usize, loops: u32, locals: u32) -> Module {
    let mut function = Function::new([(locals, ValType::I32)]);
    for index in 0..loops {
        let (local, next) = (index % locals, (index + 1) % locals);
        function
            .instruction(&Instruction::Loop(BlockType::Empty))
            .instruction(&Instruction::LocalGet(next))
            .instruction(&Instruction::LocalGet(local))
            .instruction(&Instruction::I32Add)
            .instruction(&Instruction::LocalSet(local))
            .instruction(&Instruction::LocalGet(local))
            .instruction(&Instruction::BrIf(0))
            .instruction(&Instruction::End);
    }
    function.instruction(&Instruction::End);
    module(&nullary(), copies, &function)
}

/// Functions of about this number of bytes without a branch.
fn straight(copies: usize, bytes: usize) -> Module {
    let mut function = Function::new([(2, ValType::I32)]);
    for _ in 0..bytes / 7 {
        function
            .instruction(&Instruction::LocalGet(0))
            .instruction(&Instruction::LocalGet(1))
            .instruction(&Instruction::I32Mul)
            .instruction(&Instruction::LocalSet(0));
    }
    function.instruction(&Instruction::End);
    module(&nullary(), copies, &function)
}

/// A function that calls itself, each time with `values` results.
fn wide_calls(values: usize, calls: usize) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([], vec![ValType::I32; values]);
    let mut function = Function::new([]);
    for _ in 0..calls {
        function.instruction(&Instruction::Call(0));
    }
    function.instruction(&Instruction::Return).instruction(&Instruction::End);
    module(&types, 1, &function)
}

/// Functions that branch with `operands` values on their stack.
fn switch(copies: usize, branches: u32, operands: u32) -> Module {
    let mut function = Function::new([(1, ValType::I32)]);
    for _ in 0..operands {
        function.instruction(&Instruction::LocalGet(0)).instruction(&Instruction::I32Eqz);
    }
    for _ in 0..branches / 2 {
        function
            .instruction(&Instruction::Block(BlockType::Empty))
            .instruction(&Instruction::LocalGet(0))
            .instruction(&Instruction::BrIf(0))
            .instruction(&Instruction::End);
    }
    for _ in 0..operands {
        function.instruction(&Instruction::Drop);
    }
    function.instruction(&Instruction::End);
    module(&nullary(), copies, &function)
}

fn types(number: u32) -> Module {
    let mut types = TypeSection::new();
    for _ in 0..number {
        types.ty().function([ValType::I32], [ValType::I64]);
    }
    let mut module = Module::new();
    module.section(&types);
    module
}

fn exports(number: usize) -> Module {
    let (mut memories, mut exports) = (MemorySection::new(), ExportSection::new());
    memories.memory(SMALL);
    for index in 0..number {
        exports.export(&index.to_string(), ExportKind::Memory, 0);
    }
    let mut module = Module::new();
    module.section(&memories).section(&exports);
    module
}

fn data(pieces: usize) -> Module {
    let (mut memories, mut data) = (MemorySection::new(), DataSection::new());
    memories.memory(SMALL);
    for _ in 0..pieces {
        data.active(0, &ConstExpr::i32_const(0), *b"x");
    }
    let mut module = Module::new();
    module.section(&memories).section(&data);
    module
}

const SMALL: MemoryType =
    MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };

/// A memory with data at its start and far from it, which a compiler could turn into an image of all between them.
fn sparse_memory() -> Module {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 256, ..SMALL });
    let mut data = DataSection::new();
    for offset in [0, 16_000_000] {
        data.active(0, &ConstExpr::i32_const(offset), *b"x");
    }
    let mut module = Module::new();
    module.section(&memories).section(&data);
    module
}
