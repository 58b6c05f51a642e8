//! Names of people and programs, such as ids of questions and values of a table, as people type them.

use crm_characters::is_alike;

/// What has this name: exactly, or else as the only one that differs in no more than what people type differently.
pub(crate) fn named<'n, T>(named: impl Iterator<Item = (&'n str, T)> + Clone, wanted: &str) -> Option<T> {
    if let Some((_, found)) = named.clone().find(|(name, _)| *name == wanted) {
        return Some(found);
    }
    let mut alike = named.filter(|(name, _)| is_alike(name, wanted));
    let (first, found) = alike.next()?;
    alike.all(|(name, _)| name == first).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_name_comes_first_and_two_that_are_alike_are_not_guessed() {
        let all = [("A-1", 1), ("A–1", 2), ("11〜50名", 3), ("Café", 4), ("Café", 5)];
        for (wanted, expected) in [
            ("A-1", Some(1)),
            ("A–1", Some(2)),
            ("A−1", None),
            ("１１～５０名", Some(3)),
            ("Cafe\u{301}\u{200B}", Some(4)),
            ("B", None),
        ] {
            assert_eq!(named(all.into_iter(), wanted), expected, "{wanted}");
        }
    }
}
