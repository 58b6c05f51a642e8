//! Suggestions for misspelt names.

/// `; did you mean ...?` with the candidate that `name` is most similar to regardless of case, or nothing.
pub fn suggestion<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    let name = name.to_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&candidate.to_lowercase(), &name), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| format!("; did you mean `{candidate}`?"))
        .unwrap_or_default()
}
