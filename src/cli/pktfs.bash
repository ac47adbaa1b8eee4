# SPDX-License-Identifier: BSD-2-Clause
# bash completion for pktfs(1). The options are those that pktfs --help names,
# so there is no second list to keep.

_pktfs_options()
{
	pktfs --help 2>/dev/null | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'
}

_pktfs_mount_options()
{
	pktfs --help 2>/dev/null | sed -n '
		/^Mount options, for -o:/,/^$/ s/^  \([a-z_]*=\{0,1\}\).*/\1/p
		/^Mount options that/,/^$/ { /^  /{ s/\*//g; s/  */\n/g; p; }; }'
}

_pktfs()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} done=

	COMPREPLY=()
	case $prev in
	-o | --options)
		[[ $cur != *,* ]] || done=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$done" -W "$(_pktfs_mount_options)" -- "${cur##*,}")
		compopt -o nospace
		return
		;;
	-u | --unmount)
		mapfile -t COMPREPLY < <(compgen -W "$(findmnt -rno TARGET -t fuse.pktfs)" -- "$cur")
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_pktfs_options)" -- "$cur")
	else
		compopt -o default
	fi
}

complete -F _pktfs pktfs
