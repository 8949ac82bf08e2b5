// A shell → the script that lets it complete command lines. What may stand where is asked of the program itself, which answers
// `completion words …` with a line for each candidate: the word, a tab, what it does; `:files` where a path is meant.

const SCRIPTS = {
  bash: String.raw`# bash completion of switchyard: source <(switchyard completion bash)
_switchyard() {
  local line="@{COMP_LINE:0:COMP_POINT}" word last
  local -a typed
  read -ra typed <<<"$line"
  [[ $line == *[[:space:]] ]] && typed+=("")
  last="@{typed[-1]}"
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    if [[ $word == :files ]]; then
      compopt -o default
    else
      [[ $word == *= ]] && compopt -o nospace
      # The shell takes what stands behind "=" for a word of its own.
      [[ $last == *=* ]] && word="@{word#*=}"
      COMPREPLY+=("$word")
    fi
  done < <("@{typed[0]}" completion words "@{typed[@]:1}" 2>/dev/null)
}
complete -F _switchyard switchyard`,

  zsh: String.raw`#compdef switchyard
# zsh completion of switchyard: source <(switchyard completion zsh), after compinit
_switchyard() {
  local line word
  local -a whole open
  for line in "@{(@f)$(@{words[1]} completion words "@{(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      compset -P '*='
      _files
      return
    fi
    word="@{line%%$'\t'*}"
    word="@{word//:/\\:}:@{line#*$'\t'}"
    if [[ $line == *=$'\t'* ]]; then open+=("$word"); else whole+=("$word"); fi
  done
  if (( $#whole )); then _describe switchyard whole; fi
  if (( $#open )); then _describe switchyard open -S ''; fi
}
compdef _switchyard switchyard`,

  fish: `# fish completion of switchyard: switchyard completion fish | source
function __switchyard_words
  set -l typed (commandline -opc)
  set -l last (commandline -ct)
  for line in ($typed[1] completion words $typed[2..-1] "$last" 2>/dev/null)
    if test "$line" = ":files"
      set -l flag (string match -r '^--[^=]*=' -- "$last")
      for path in (__fish_complete_path (string replace -r '^--[^=]*=' '' -- "$last"))
        echo "$flag$path"
      end
    else
      echo $line
    end
  end
end
complete -c switchyard -f -a '(__switchyard_words)'`,
} as const

export type Shell = keyof typeof SCRIPTS

export const SHELLS = Object.keys(SCRIPTS) as readonly Shell[]

export function isShell(word: string): word is Shell {
  return Object.hasOwn(SCRIPTS, word)
}

/** `@{` in the texts above is `${`, which would begin an expression of ours there. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell].replaceAll('@{', '${')
}
