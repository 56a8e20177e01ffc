//! What shells and the manual are told of the command line.

use assert_cmd::Command;
use predicates::prelude::*;
use std::fs;
use std::process;

fn dashnas() -> Command {
    Command::cargo_bin("dashnas").expect("the binary is built with its tests")
}

fn stdout(args: &[&str]) -> String {
    let printed = dashnas().args(args).assert().success().stderr("");
    String::from_utf8(printed.get_output().stdout.clone()).expect("UTF-8")
}

#[test]
fn help_leads_with_what_a_newcomer_needs() {
    let help = stdout(&["--help"]);
    let first = help.lines().skip_while(|l| *l != "Start here:").nth(1).expect("commands follow");
    assert!(first.starts_with("  inspect "), "{help}");
    // No arguments: the same, as an error of usage.
    dashnas().assert().code(2).stderr(predicate::str::contains("Start here:"));
    assert_eq!(stdout(&["help"]), help);
}

#[test]
fn every_shell_is_told_every_subcommand_and_its_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&["completions", shell]);
        for word in ["evaluate", "completions", "kernel-sizes", "figures"] {
            assert!(script.contains(word), "{shell} is not told of {word}");
        }
    }
    dashnas().args(["completions", "tcsh"]).assert().code(2).stderr(predicate::str::contains("bash"));
}

/// The script in the shell that it is for, where there is one.
#[test]
fn bash_completes_subcommands_options_and_values() {
    let script = stdout(&["completions", "bash"]);
    let complete = |words: &str| {
        let line = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=(); \
             _dashnas dashnas \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let run = process::Command::new("bash").args(["--norc", "-c", &line]).output();
        run.ok().map(|run| String::from_utf8_lossy(&run.stdout).trim().to_owned())
    };
    let Some(subcommands) = complete("dashnas ev") else {
        println!("skipped: there is no bash here");
        return;
    };
    assert_eq!(subcommands, "evaluate");
    assert_eq!(complete("dashnas run --kern").as_deref(), Some("--kernel-sizes"));
    assert_eq!(complete("dashnas run --preset q").as_deref(), Some("quick"));
}

#[test]
fn the_manual_has_a_page_for_every_subcommand() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("man");
    let said = stdout(&["man", "--out", out.to_str().expect("UTF-8")]);
    let pages: Vec<String> = fs::read_dir(&out)
        .expect("the folder was made")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(said.starts_with(&format!("Wrote {} manual pages to", pages.len())), "{said}");
    for page in ["dashnas.1", "dashnas-run.1", "dashnas-man.1", "dashnas-bench.1", "dashnas-bench-step.1"] {
        assert!(pages.iter().any(|p| p == page), "{page} among {pages:?}");
    }
    assert!(!pages.iter().any(|p| p.contains("help")), "{pages:?}");
    let step = fs::read_to_string(out.join("dashnas-bench-step.1")).expect("readable");
    assert!(step.contains(".TH dashnas-bench-step 1"), "{step}");
    assert!(step.contains("\\-\\-depthwise") && step.contains("\\-\\-verbose"), "{step}");

    assert_eq!(stdout(&["man", "bench", "step"]), step);
    assert_eq!(stdout(&["man"]), fs::read_to_string(out.join("dashnas.1")).expect("readable"));
    dashnas().args(["man", "bench", "steps"]).assert().code(1).stdout("").stderr(
        predicate::str::contains("dashnas-bench has no subcommand steps").and(predicate::str::contains("step, ")),
    );
}

#[test]
fn a_manual_that_cannot_be_written_names_the_path() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("writable");
    dashnas()
        .args(["man", "--out"])
        .arg(file.join("man"))
        .assert()
        .code(5)
        .stderr(predicate::str::contains("cannot make").and(predicate::str::contains("man")));
}
