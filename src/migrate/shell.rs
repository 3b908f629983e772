//! A hook as bash reads it: simple commands, their words, and how they hang together. What goes beyond that is refused
//! with a word on why, since it cannot be known what it does.

use std::iter::Peekable;
use std::str::Chars;

/// Why something is not understood: a lower-case phrase.
pub(super) type Why = String;

/// A hook: its commands, one after the other, whether the one before succeeded or not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
    /// The comment at the end, with its `#`.
    pub(super) comment: Option<String>,
}

/// One command, and what is run if it fails: `iptables -C ... || iptables -A ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) run: Pipeline,
    pub(super) or: Vec<Pipeline>,
}

/// Commands, each of which reads what the one before writes.
pub(super) type Pipeline = Vec<Simple>;

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Simple {
    pub(super) words: Vec<Word>,
    /// The file that its output goes to, unless that is /dev/null.
    pub(super) output: Option<String>,
}

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// As it is, with the quotes taken off.
    Text(String),
    /// `$(...)`, with what is inside.
    Output(String),
    /// `<(...)`, with what is inside.
    File(String),
}

/// Reads a hook.
pub(super) fn read(hook: &str) -> Result<Script, Why> {
    let mut reader = Reader {
        chars: hook.chars().peekable(),
        script: Script::default(),
        pipeline: Vec::new(),
        simple: Simple::default(),
        alternative: false,
    };
    reader.hook()?;
    Ok(reader.script)
}

struct Reader<'t> {
    chars: Peekable<Chars<'t>>,
    script: Script,
    pipeline: Pipeline,
    simple: Simple,
    /// Whether the pipeline comes after `||`.
    alternative: bool,
}

impl Reader<'_> {
    fn hook(&mut self) -> Result<(), Why> {
        while let Some(c) = self.chars.peek().copied() {
            match c {
                ' ' | '\t' => drop(self.chars.next()),
                '#' => self.script.comment = Some(self.chars.by_ref().collect()),
                ';' | '&' | '|' => self.operator(c)?,
                '>' => self.redirect(1)?,
                '(' | ')' => return Err("a subshell".into()),
                _ => self.word()?,
            }
        }
        self.end_step()
    }

    fn operator(&mut self, c: char) -> Result<(), Why> {
        self.chars.next();
        let doubled = self.chars.next_if_eq(&c).is_some();
        match (c, doubled) {
            (';', false) | ('&', true) => self.end_step(),
            ('|', true) => {
                self.end_step()?;
                self.alternative = true;
                Ok(())
            }
            ('|', false) => self.end_simple(),
            ('&', false) if self.chars.peek() == Some(&'>') => self.redirect(1),
            ('&', false) => Err("a command in the background".into()),
            _ => Err("`;;`".into()),
        }
    }

    fn end_simple(&mut self) -> Result<(), Why> {
        let simple = std::mem::take(&mut self.simple);
        if let Some(Word::Text(first)) = simple.words.first() {
            const RESERVED: [&str; 14] = [
                "if", "then", "else", "fi", "for", "while", "until", "do", "done", "case", "[[",
                "{", "!", "function",
            ];
            if RESERVED.contains(&first.as_str()) {
                return Err(format!("`{first}` of the shell"));
            }
            let name = first.split_once('=').map(|(name, _)| name);
            if name.is_some_and(|name| !name.is_empty() && name.chars().all(is_name)) {
                return Err("a variable of the shell".into());
            }
        }
        self.pipeline.push(simple);
        Ok(())
    }

    fn end_step(&mut self) -> Result<(), Why> {
        if self.simple == Simple::default() && self.pipeline.is_empty() {
            return Ok(());
        }
        self.end_simple()?;
        let run = std::mem::take(&mut self.pipeline);
        match self.script.steps.last_mut() {
            Some(step) if self.alternative => step.or.push(run),
            _ => self.script.steps.push(Step {
                run,
                or: Vec::new(),
            }),
        }
        self.alternative = false;
        Ok(())
    }

    /// `>`, `>>`, `2>`, `&>`, `2>&1`, and where it goes.
    fn redirect(&mut self, fd: u32) -> Result<(), Why> {
        self.chars.next();
        self.chars.next_if_eq(&'>');
        if self.chars.next_if_eq(&'&').is_some() {
            let digit = self.chars.next_if(char::is_ascii_digit);
            return digit.map(drop).ok_or_else(|| "a redirection".into());
        }
        while self.chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        match (fd, self.take_word()?) {
            (1 | 2, Word::Text(file)) if file == "/dev/null" => Ok(()),
            (1, Word::Text(file)) => {
                self.simple.output = Some(file);
                Ok(())
            }
            _ => Err("a redirection".into()),
        }
    }

    fn word(&mut self) -> Result<(), Why> {
        let word = self.take_word()?;
        if let (Some('>'), Word::Text(text)) = (self.chars.peek(), &word)
            && let Ok(fd) = text.parse()
        {
            return self.redirect(fd);
        }
        self.simple.words.push(word);
        Ok(())
    }

    fn take_word(&mut self) -> Result<Word, Why> {
        let mut text = String::new();
        let mut substituted = None;
        while let Some(c) = self.chars.peek().copied() {
            match c {
                ' ' | '\t' | ';' | '&' | '|' | '>' => break,
                '<' if text.is_empty() => substituted = Some(Word::File(self.parenthesis()?)),
                '$' | '"' | '\'' | '\\' => {
                    self.chars.next();
                    let inner = match c {
                        '"' => self.double_quoted(&mut text)?,
                        '$' => self.dollar(&mut text)?,
                        _ => self.literal(c, &mut text)?,
                    };
                    substituted = inner.map(Word::Output).or(substituted);
                }
                '`' => return Err("a command in backquotes".into()),
                '(' | ')' | '<' => return Err(format!("`{c}` of the shell")),
                '[' => self.bracketed(&mut text)?,
                '*' | '?' => return Err("a pattern of file names".into()),
                _ => {
                    text.push(c);
                    self.chars.next();
                }
            }
        }
        match substituted {
            None => Ok(Word::Text(text)),
            Some(word) if text.is_empty() => Ok(word),
            Some(_) => Err("the output of a command as a part of a word".into()),
        }
    }

    /// `'...'`, and a character after a backslash.
    fn literal(&mut self, quote: char, text: &mut String) -> Result<Option<String>, Why> {
        if quote == '\\' {
            text.extend(self.chars.next());
            return Ok(None);
        }
        loop {
            match self.chars.next() {
                None => return Err("a quote without an end".into()),
                Some('\'') => return Ok(None),
                Some(c) => text.push(c),
            }
        }
    }

    fn double_quoted(&mut self, text: &mut String) -> Result<Option<String>, Why> {
        let mut substituted = None;
        loop {
            match self.chars.next() {
                None => return Err("a quote without an end".into()),
                Some('"') => return Ok(substituted),
                Some('`') => return Err("a command in backquotes".into()),
                Some('$') => substituted = self.dollar(text)?.or(substituted),
                Some('\\') => match self.chars.next() {
                    Some(c @ ('"' | '\\' | '$' | '`')) => text.push(c),
                    Some(c) => text.extend(['\\', c]),
                    None => return Err("a quote without an end".into()),
                },
                Some(c) => text.push(c),
            }
        }
    }

    /// What comes after a `$`: the inside of `$(...)`, if it is that.
    fn dollar(&mut self, text: &mut String) -> Result<Option<String>, Why> {
        match self.chars.peek() {
            Some('(') => self.parenthesis_after().map(Some),
            Some('{' | '\'' | '"' | '$' | '!' | '@' | '*' | '#' | '?' | '-') => {
                Err("a variable of the shell".into())
            }
            Some(c) if is_name(*c) => Err("a variable of the shell".into()),
            _ => {
                text.push('$');
                Ok(None)
            }
        }
    }

    /// The inside of `<(...)`.
    fn parenthesis(&mut self) -> Result<String, Why> {
        self.chars.next();
        if self.chars.peek() == Some(&'(') {
            self.parenthesis_after()
        } else {
            Err("a redirection of input".into())
        }
    }

    /// What is inside of parentheses, as it is written.
    fn parenthesis_after(&mut self) -> Result<String, Why> {
        self.chars.next();
        let (mut inside, mut depth, mut quote) = (String::new(), 1, None);
        for c in self.chars.by_ref() {
            match c {
                _ if quote == Some(c) => quote = None,
                _ if quote.is_some() => {}
                '\'' | '"' => quote = Some(c),
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(inside);
            }
            inside.push(c);
        }
        Err("a parenthesis without an end".into())
    }

    /// `[fd00::2]`, which bash takes for a pattern that no file has the name of.
    fn bracketed(&mut self, text: &mut String) -> Result<(), Why> {
        let start = text.len();
        text.extend(self.chars.next());
        while let Some(c) = self.chars.next_if(|c| c.is_ascii_hexdigit() || *c == ':') {
            text.push(c);
        }
        let address = text.get(start..).is_some_and(|text| text.contains(':'));
        match self.chars.next_if_eq(&']') {
            Some(c) if address => {
                text.push(c);
                Ok(())
            }
            _ => Err("a pattern of file names".into()),
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands as text: words between bars, output after `>`, pipes, alternatives after `||`.
    fn shown(hook: &str) -> Result<Vec<String>, Why> {
        let word = |word: &Word| match word {
            Word::Text(text) => text.clone(),
            Word::Output(inside) => format!("$({inside})"),
            Word::File(inside) => format!("<({inside})"),
        };
        let simple = |simple: &Simple| {
            let words: Vec<_> = simple.words.iter().map(word).collect();
            let output = simple.output.as_ref();
            words.join("|") + &output.map_or_else(String::new, |file| format!(" > {file}"))
        };
        let pipeline = |line: &Pipeline| line.iter().map(simple).collect::<Vec<_>>().join(" | ");
        let step = |step: &Step| {
            let or = step
                .or
                .iter()
                .map(|line| " || ".to_owned() + &pipeline(line));
            pipeline(&step.run) + &or.collect::<String>()
        };
        Ok(read(hook)?.steps.iter().map(step).collect())
    }

    #[test]
    fn words_are_those_of_bash() {
        for (hook, steps) in [
            ("a b;c&&d ; ", vec!["a|b", "c", "d"]),
            ("a 'b c' \"d \\\" e\" f\\;g ''", vec!["a|b c|d \" e|f;g|"]),
            ("a 2>/dev/null || true", vec!["a || true"]),
            ("a >/dev/null 2>&1 || b", vec!["a || b"]),
            (
                "a &>/dev/null; echo 1 > /proc/x",
                vec!["a", "echo|1 > /proc/x"],
            ),
            ("echo 1 | tee /x", vec!["echo|1 | tee|/x"]),
            ("a $(b 'c)' (d)) <(cat e)", vec!["a|$(b 'c)' (d))|<(cat e)"]),
            ("a \"$(b c)\" x#y # end", vec!["a|$(b c)|x#y"]),
            (
                "a { b \\; } [fd00::1]:80 ~.",
                vec!["a|{|b|;|}|[fd00::1]:80|~."],
            ),
            ("", vec![]),
        ] {
            let steps: Vec<_> = steps.into_iter().map(str::to_owned).collect();
            assert_eq!(shown(hook), Ok(steps), "{hook}");
        }
        assert_eq!(read("a # b").unwrap().comment.as_deref(), Some("# b"));
    }

    #[test]
    fn what_goes_beyond_words_is_refused() {
        for hook in [
            "a &",
            "(a)",
            "if a; then b; fi",
            "a $B",
            "a ${B}",
            "B=1 a",
            "a `b`",
            "a *",
            "a [bc]",
            "a 'b",
            "a \"b",
            "a $(b",
            "a x$(b)",
            "a < b",
            "a 3> b",
            "a 2> b",
            "{ a; }",
            "[[ a ]]",
            "! a",
            "a ;; b",
            "a <<< b",
        ] {
            assert!(read(hook).is_err(), "{hook}: {:?}", read(hook));
        }
    }
}
