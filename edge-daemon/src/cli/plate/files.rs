//! The files that paths on the command line stand for, in a fixed order.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file to look at, or why a path leads to none.
#[derive(Debug)]
pub struct Entry {
    pub path: PathBuf,
    pub trouble: Option<String>,
}

impl Entry {
    fn file(path: PathBuf) -> Self {
        Self { path, trouble: None }
    }

    fn trouble(path: &Path, trouble: impl ToString) -> Self {
        Self { path: path.to_owned(), trouble: Some(trouble.to_string()) }
    }
}

/// The files at `paths` in the order given; folders are walked to the bottom, sorted by name,
/// without hidden entries and without following links to folders.
pub fn collect(paths: &[PathBuf]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => collect_root(path, &mut entries),
            Ok(metadata) if metadata.is_file() => entries.push(Entry::file(path.clone())),
            Ok(_) => entries.push(Entry::trouble(path, "neither a file nor a folder")),
            Err(error) => entries.push(Entry::trouble(path, describe(&error))),
        }
    }
    entries
}

fn collect_root(folder: &Path, entries: &mut Vec<Entry>) {
    let before = entries.len();
    walk(folder, entries);
    if entries.len() == before {
        entries.push(Entry::trouble(folder, "the folder is empty"));
    }
}

fn walk(folder: &Path, entries: &mut Vec<Entry>) {
    let children = match children(folder) {
        Ok(children) => children,
        Err(error) => return entries.push(Entry::trouble(folder, describe(&error))),
    };
    for (path, is_folder) in children {
        if is_folder { walk(&path, entries) } else { entries.push(Entry::file(path)) }
    }
}

/// What is in a folder, sorted, and which of it is a folder.
fn children(folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    let mut children = Vec::new();
    for child in fs::read_dir(folder)? {
        let child = child?;
        let is_hidden = child.file_name().as_encoded_bytes().starts_with(b".");
        let is_link_to_folder = child.file_type()?.is_symlink() && child.path().is_dir();
        if !is_hidden && !is_link_to_folder {
            children.push((child.path(), child.file_type()?.is_dir()));
        }
    }
    children.sort();
    Ok(children)
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be read: permission denied".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn folders_are_walked_in_order_and_what_is_missing_is_named() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("b")).unwrap();
        for name in ["c.jpg", "a.png", "b/2.jpg", "b/1.jpg", ".hidden"] {
            fs::write(at(name), "").unwrap();
        }
        std::os::unix::fs::symlink(root.path(), at("b/loop")).unwrap();
        let entries = collect(&[root.path().to_owned(), at("gone"), at("c.jpg")]);
        let paths: Vec<_> = entries.iter().map(|entry| entry.path.clone()).collect();
        let wanted = ["a.png", "b/1.jpg", "b/2.jpg", "c.jpg", "gone", "c.jpg"].map(at);
        assert_eq!(paths, wanted);
        let troubles: Vec<_> = entries.iter().map(|entry| entry.trouble.is_some()).collect();
        assert_eq!(troubles, [false, false, false, false, true, false]);
    }

    #[test]
    fn an_empty_folder_and_a_device_are_no_pictures() {
        let root = tempfile::tempdir().unwrap();
        let entries = collect(&[root.path().to_owned(), PathBuf::from("/dev/null")]);
        assert!(entries.len() == 2 && entries.iter().all(|entry| entry.trouble.is_some()));
    }
}
