# SPDX-License-Identifier: BSD-2-Clause
# bash completion for pktfs(1). What options there are, and what their values may
# be, is what pktfs --help prints from the program's own table, so there is no
# second list to keep.

_pktfs_options()
{
	pktfs --help 2>/dev/null | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'
}

_pktfs_mount_options()
{
	pktfs --help 2>/dev/null | sed -n '
		/^Mount options, for -o:/,/^$/ s/^  \([a-z_-]*=\{0,1\}\).*/\1/p
		/^Mount options that/,/^$/ { /^  /{ s/\*//g; s/  */\n/g; p; }; }'
}

# _pktfs_values OPTION BEGINNING: of a mount option; --help has it as order=name|time,
# spool=DIR or append[=FILE]: words in small letters are values
_pktfs_values()
{
	local kind

	for kind in $(pktfs --help 2>/dev/null | sed -n "s/^  $1\[\{0,1\}=\([^] ]*\).*/\1/p" | tr '|' ' '); do
		case $kind in
		DIR) compgen -d -- "$2" ;;
		FILE) compgen -f -- "$2" ;;
		USER) compgen -u -- "$2" ;;
		[a-z]*) compgen -W "$kind" -- "$2" ;;
		esac
	done
}

# The last of a list of mount options. bash takes what is behind the last = for the
# word to complete, though not if the user has taken = out of COMP_WORDBREAKS.
_pktfs_complete_list()
{
	local last=${1##*,} done=${1%"${1##*,}"}

	if [[ $last == *=* ]]; then
		done+=${last%%=*}=
		mapfile -t COMPREPLY < <(_pktfs_values "${last%%=*}" "${last#*=}")
	else
		mapfile -t COMPREPLY < <(compgen -W "$(_pktfs_mount_options)" -- "$last")
	fi
	COMPREPLY=("${COMPREPLY[@]/#/$done}")
	[[ $COMP_WORDBREAKS != *=* ]] || COMPREPLY=("${COMPREPLY[@]#"${1%"${1##*=}"}"}")
	compopt -o nospace
}

_pktfs()
{
	local line=${COMP_LINE:0:COMP_POINT} cur prev

	cur=${line##*[[:space:]]}
	line=${line%"$cur"}
	line=${line%"${line##*[![:space:]]}"}
	prev=${line##*[[:space:]]}
	COMPREPLY=()
	if [[ $prev == -o || $prev == --options ]]; then
		_pktfs_complete_list "$cur"
	elif [[ $prev == -u || $prev == --unmount ]]; then
		mapfile -t COMPREPLY < <(findmnt -nlo TARGET -t fuse.pktfs)
		mapfile -t COMPREPLY < <(IFS=$'\n' && compgen -W "${COMPREPLY[*]@Q}" -- "$cur")
		compopt -o filenames
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_pktfs_options)" -- "$cur")
	else
		compopt -o default
	fi
}

complete -F _pktfs pktfs
