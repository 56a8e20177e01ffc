//! The templates.

use dashnas::error::Error;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Serialize;
use std::io;
use std::path::Path;

const TEMPLATES: [(&str, &str); 8] = [
    ("base.html", include_str!("templates/base.html")),
    ("macros.html", include_str!("templates/macros.html")),
    ("run.html", include_str!("templates/run.html")),
    ("compare.html", include_str!("templates/compare.html")),
    ("folds.html", include_str!("templates/folds.html")),
    ("methods.html", include_str!("templates/methods.html")),
    ("bench.html", include_str!("templates/bench.html")),
    ("style.css", include_str!("templates/style.css")),
];

/// Fills a template. Everything is escaped but what the template marks as safe: the drawings, which escape the
/// texts in them themselves.
pub fn page(name: &str, view: &impl Serialize) -> Result<String, Error> {
    let mut environment = Environment::new();
    // The templates are a part of the program and a test fills each: an error here is a defect, but not worth a run.
    let failed =
        |e: minijinja::Error| Error::io("fill the template", Path::new(name), io::Error::other(format!("{e:#}")));
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(failed)?;
    environment.set_syntax(syntax);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source).map_err(failed)?;
    }
    let template = environment.get_template(name).map_err(failed)?;
    template.render(context! { v => Serde(view), version => env!("CARGO_PKG_VERSION") }).map_err(failed)
}
