# SPDX-License-Identifier: Apache-2.0
#
# completions.awk - what "span-query --completion" prints, as a completion
# file for -v shell=bash, zsh or fish
#
# The input has a line for the command, for each option and for each verb,
# with tabs between the fields:
#
#	command  NAME OPERANDS SUMMARY
#	option   VERB LETTER NAME KIND ARG HELP CHOICES
#	verb     NAME OPERANDS SUMMARY
#
# KIND is flag, argument, list, choice or optional; VERB and LETTER are "-"
# where there is none. The options of a verb are repeated in full.

BEGIN { FS = "\t" }

$1 == "command" {
	command = $2
	operands["-"] = $3
	function_name = "_" command
	gsub(/-/, "_", function_name)
}
$1 == "verb" {
	verbs[++n_verbs] = $2
	operands[$2] = $3
	summary[$2] = $4
}
$1 == "option" {
	n++
	verb[n] = $2
	letter[n] = $3 == "-" ? "" : $3
	name[n] = $4
	kind[n] = $5
	arg[n] = $6
	help[n] = $7
	choices[n] = $8
}

END {
	if (shell == "bash")
		bash()
	else if (shell == "zsh")
		zsh()
	else
		fish()
}

function takes_argument(i) {
	return kind[i] != "flag" && kind[i] != "optional"
}

# What a shell completes for an argument or operand of this name.
function what(text) {
	if (text ~ /FILE/)
		return "file"
	if (text ~ /DIR|STORE/)
		return "directory"
	return ""
}

function quoted(text) {
	gsub(/'/, "'\\''", text)
	return "'" text "'"
}

# ---- bash ----

function bash_reply(type, words) {
	if (type == "file")
		return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")"
	if (type == "directory")
		return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")"
	if (words != "")
		return "mapfile -t COMPREPLY < <(compgen -W " quoted(words) " -- \"$cur\")"
	return ":"
}

function bash_options(of,    i, list) {
	for (i = 1; i <= n; i++)
		if (verb[i] == of) {
			list = list " --" name[i] \
				(takes_argument(i) ? "=" : "")
			if (letter[i] != "")
				list = list " -" letter[i]
		}
	return substr(list, 2)
}

function bash_operands(of, words) {
	printf "\t%s:-*)\n\t\t%s\n", of == "-" ? "" : of,
		bash_reply("", bash_options(of))
	print "\t\t[[ ${COMPREPLY[0]} = *= ]] && compopt -o nospace ;;"
	printf "\t%s:*) %s ;;\n", of == "-" ? "" : of,
		bash_reply(what(operands[of]), words)
}

# What the option is called in "case $verb:$prev"; "" when "*:" has it.
function bash_key(i,    j, first) {
	for (j = 1; j <= n; j++)
		if (name[j] == name[i]) {
			if (!first)
				first = j
			if (letter[j] arg[j] choices[j] != \
			    letter[i] arg[i] choices[i])
				return (verb[i] == "-" ? "" : verb[i]) ":"
		}
	return first == i ? "*:" : ""
}

function bash(    i, all, key) {
	for (i = 1; i <= n_verbs; i++)
		all = all (i > 1 ? " " : "") verbs[i]
	print "# bash completion for " command "\n"
	print function_name "()\n{"
	print "\tlocal cur=${COMP_WORDS[COMP_CWORD]} verb=''" (n_verbs ? " word" : "")
	print "\tlocal prev=${COMP_WORDS[COMP_CWORD - 1]}"
	print "\tCOMPREPLY=()"
	# bash takes the = of --name=ARG for a word of its own.
	print "\tif [ \"$cur\" = = ]; then\n\t\tcur=''"
	print "\telif [ \"$prev\" = = ] && [ \"$COMP_CWORD\" -gt 1 ]; then"
	print "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi"
	if (n_verbs) {
		key = all
		gsub(/ /, " | ", key)
		print "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD - 1}\"; do"
		print "\t\tcase $word in\n\t\t" key ")"
		print "\t\t\tverb=$word\n\t\t\tbreak ;;\n\t\tesac\n\tdone"
	}
	print "\tcase $verb:$prev in"
	for (i = 1; i <= n; i++) {
		if (!takes_argument(i))
			continue
		key = bash_key(i)
		if (key == "")
			continue
		printf "\t%s--%s", key, name[i]
		if (letter[i] != "")
			printf " | %s-%s", key, letter[i]
		printf ") %s; return ;;\n", bash_reply(what(arg[i]), choices[i])
	}
	print "\tesac\n\tcase $verb:$cur in"
	bash_operands("-", all)
	for (i = 1; i <= n_verbs; i++)
		bash_operands(verbs[i], "")
	print "\tesac\n}"
	print "complete -F " function_name " " command
}

# ---- zsh ----

function zsh_text(text) {
	gsub(/\[|\]|:|\\/, "\\\\&", text)
	return text
}

function zsh_action(type, words) {
	if (words != "")
		return "(" words ")"
	return type == "file" ? "_files" : type == "directory" ? "_files -/" : " "
}

function zsh_option(i,    spec, tail, both) {
	tail = "[" zsh_text(help[i]) "]"
	if (takes_argument(i) || kind[i] == "optional")
		tail = tail (kind[i] == "optional" ? "::" : ":") \
			zsh_text(arg[i]) ":" zsh_action(what(arg[i]), choices[i])
	spec = kind[i] == "list" ? "*" : ""
	both = letter[i] != "" && kind[i] != "list" ? \
		"(-" letter[i] " --" name[i] ")" : ""
	if (letter[i] != "")
		printf "\t\t%s \\\n", quoted(both spec "-" letter[i] \
			(takes_argument(i) ? "+" : "") \
			(kind[i] == "optional" ? "[" zsh_text(help[i]) "]" : tail))
	printf "\t\t%s \\\n", quoted(both spec "--" name[i] \
		(takes_argument(i) ? "=" : kind[i] == "optional" ? "=-" : "") tail)
}

function zsh_options(of,    i) {
	for (i = 1; i <= n; i++)
		if (verb[i] == of)
			zsh_option(i)
}

function zsh_operands(of) {
	if (what(operands[of]) != "")
		print "\t\t" quoted("*:" zsh_text(operands[of]) ":" \
			zsh_action(what(operands[of]), ""))
	else
		print "\t\t&& return 0"
}

function zsh(    i) {
	print "#compdef " command "\n"
	if (!n_verbs) {
		print "\t_arguments -s -S : \\"
		zsh_options("-")
		zsh_operands("-")
		return
	}
	print "local curcontext=$curcontext state line\nlocal -a verbs"
	print "typeset -A opt_args\nverbs=("
	for (i = 1; i <= n_verbs; i++)
		print "\t" quoted(zsh_text(verbs[i]) ":" summary[verbs[i]])
	print ")\n_arguments -C -s -S : \\"
	zsh_options("-")
	print "\t\t'1: :->verb' '*:: :->rest' && return 0"
	print "case $state in\nverb) _describe verb verbs ;;\nrest)"
	print "\tcase $words[1] in"
	for (i = 1; i <= n_verbs; i++) {
		print "\t" verbs[i] ")\n\t\t_arguments -s -S : \\"
		zsh_options(verbs[i])
		zsh_operands(verbs[i])
		print "\t\t;;"
	}
	print "\tesac ;;\nesac"
}

# ---- fish ----

function fish_text(text) {
	gsub(/\\/, "\\\\", text)
	gsub(/'/, "\\'", text)
	return "'" text "'"
}

function fish_condition(of) {
	if (!n_verbs)
		return ""
	if (of == "-")
		return " -n __fish_use_subcommand"
	return " -n '__fish_seen_subcommand_from " of "'"
}

function fish(    i, line) {
	print "# fish completion for " command
	print "complete -c " command " -f"
	for (i = 1; i <= n_verbs; i++)
		print "complete -c " command fish_condition("-") " -a " \
			verbs[i] " -d " fish_text(summary[verbs[i]])
	for (i in operands)
		if (what(operands[i]) == "file")
			print "complete -c " command fish_condition(i) " -F"
		else if (what(operands[i]) == "directory")
			print "complete -c " command fish_condition(i) \
				" -a '(__fish_complete_directories)'"
	for (i = 1; i <= n; i++) {
		line = "complete -c " command fish_condition(verb[i])
		if (letter[i] != "")
			line = line " -s " letter[i]
		line = line " -l " name[i]
		if (what(arg[i]) == "file")
			line = line " -r -F"
		else if (what(arg[i]) == "directory")
			line = line " -x -a '(__fish_complete_directories)'"
		else if (choices[i] != "")
			line = line " -x -a " fish_text(choices[i])
		else if (takes_argument(i))
			line = line " -x"
		print line " -d " fish_text(help[i])
	}
}
