//! The JSON layout of `X-PrettyPrint`, taken from recorded responses.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Serializer, Value, ser::Formatter};

/// Pretty-prints a body.
pub(super) fn text(body: &Value) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    body.serialize(&mut Serializer::with_formatter(&mut text, Layout::default()))?;
    Ok(text)
}

/// One member per line; array elements on one line.
#[derive(Default)]
struct Layout {
    depth: usize,
    /// Whether the current object has a member.
    filled: bool,
}

impl Layout {
    fn new_line<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Layout {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b" " } else { b", " })
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" ]")
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.new_line(writer)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" : ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.filled {
            self.new_line(writer)?
        } else {
            writer.write_all(b" ")?
        }
        writer.write_all(b"}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn members_get_a_line_each_and_elements_share_one() {
        let body = json!([{"errorCode": "X", "fields": ["a", "b"], "more": {"none": [], "empty": {}}}, 1]);
        let text = String::from_utf8(super::text(&body).unwrap()).unwrap();
        let laid_out = r#"[ {
  "errorCode" : "X",
  "fields" : [ "a", "b" ],
  "more" : {
    "empty" : { },
    "none" : [ ]
  }
}, 1 ]"#;
        assert_eq!(text, laid_out);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), body);
    }
}
