# Prints what zsh completes the command line $2 to, one word a line; $1 is the folder of the completion `_wgq`.
# A terminal is needed for that, which zpty gives to a second zsh.
zmodload zsh/zpty || exit
zpty shell zsh -f -i
zpty -w shell "stty -echo; PROMPT= fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D"
# Every completer hands its words to compadd; this one prints them.
zpty -w shell 'compadd() {
    [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] && { builtin compadd "$@"; return }
    local -a words; builtin compadd -A words "$@"; print -rl -- ${words/#/MATCH }
}
done-() { zle kill-buffer; print -r -- "THE END" }
tab-() { zle complete-word; done- }
zle -N tab-; bindkey "^X" tab-; print -r -- "THE "BEGIN'
zpty -r shell ready '*THE BEGIN*'
zpty -w -n shell "$2"$'\C-X'
while zpty -r shell line; do
    line=${line%%[$'\r\n']##}
    [[ $line != *'THE END'* ]] || break
    [[ $line != *'MATCH '* ]] || print -r -- ${line##*MATCH }
done
zpty -d shell
