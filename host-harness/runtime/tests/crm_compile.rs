//! `crm-compile`, which hosts start.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

type Outcome = Result<(Option<i32>, Vec<u8>, String), Box<dyn std::error::Error>>;

fn compile(arguments: &[&str], input: &[u8]) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crm-compile"));
    let mut child =
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // A program that does not read its input may have ended already.
    let _ = child.stdin.take().ok_or("its input")?.write_all(input);
    let output = child.wait_with_output()?;
    Ok((output.status.code(), output.stdout, String::from_utf8(output.stderr)?))
}

#[test]
fn it_compiles_what_a_host_hands_it_and_tells_a_person_what_it_is() -> Result<(), Box<dyn std::error::Error>> {
    let empty = b"\0asm\x0d\0\x01\0";
    let (code, compiled, said) = compile(&["compile-component"], empty)?;
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(!compiled.is_empty());
    let (code, compiled, said) = compile(&["compile-component"], b"nonsense")?;
    assert_eq!((code, compiled.is_empty()), (Some(1), true), "{said}");
    assert!(!said.is_empty());
    let (code, _, said) = compile(&[], b"")?;
    assert_eq!(code, Some(2));
    assert!(said.contains("HostBuilder::compiler"), "{said}");
    Ok(())
}
