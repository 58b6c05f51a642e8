//! Inputs in the form of an HTTP message: a first line, `name: value` lines, a blank line, a body.

pub struct Message<'a> {
    pub first: &'a str,
    pub headers: Vec<(&'a str, &'a str)>,
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads an input; what is missing is empty. `None` if the lines are not UTF-8.
    pub fn read(input: &'a [u8]) -> Option<Self> {
        let end = input.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = match end.and_then(|end| Some((input.get(..end)?, input.get(end + 2..)?))) {
            Some(parts) => parts,
            None => (input, &b""[..]),
        };
        let mut lines = std::str::from_utf8(head).ok()?.split('\n');
        let first = lines.next().unwrap_or_default();
        Some(Self { first, headers: lines.filter_map(|line| line.split_once(": ")).collect(), body })
    }

    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}
