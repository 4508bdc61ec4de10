# Completion of `alight` for fish >= 3.4.

function __alight_after_dashes
    contains -- -- (commandline -opc)
end

function __alight_verb
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        string match -q -- '-*' $word; or break
    end
    not __alight_after_dashes; and contains -- "$word" $argv
end

function __alight_no_verb
    set -l words (commandline -opc)
    set -e words[1]
    not string match -q -v -- '-*' $words
end

function __alight_daemon
    set -l words (commandline -opc)
    __alight_verb daemon; and contains -- "$words[3]" $argv
end

function __alight_daemon_bare
    set -l words (commandline -opc)
    __alight_verb daemon; and test (count $words) -eq 2
end

function __alight_command
    set -l words (commandline -opc) (commandline -ct)
    while test (count $words) -gt 0; and test "$words[1]" != --
        set -e words[1]
    end
    set -e words[1]
    complete -C "$(string escape -- $words[1..-2] | string join ' ') $words[-1]"
end

complete -c alight -f
complete -c alight -n __alight_no_verb -l version -d 'Show the version'
complete -c alight -n 'not __alight_after_dashes' -s h -l help -d 'Show help'
complete -c alight -n __alight_no_verb -k -a daemon -d 'Start, stop and look at the daemon'
complete -c alight -n __alight_no_verb -k -a config -d 'Every setting and where it comes from'
complete -c alight -n __alight_no_verb -k -a trust -d 'Trust a whole tree; list or revoke decisions'
complete -c alight -n __alight_no_verb -k -a init -d 'Print the hook for a shell'
complete -c alight -n __alight_no_verb -k -a export -d 'What switching it on changes, as shell lines'
complete -c alight -n __alight_no_verb -k -a exec -d 'Run a command in a folder\'s environment'
complete -c alight -n __alight_no_verb -k -a envs -d 'Every environment and interpreter'
complete -c alight -n __alight_no_verb -k -a env -d 'Which environment belongs to a folder'
complete -c alight -n __alight_no_verb -k -a pause -d 'Off until you leave this project'
complete -c alight -n __alight_no_verb -k -a off -d 'Leave alight\'s environment; do nothing here'
complete -c alight -n __alight_no_verb -k -a on -d 'Let alight work in this shell again'
complete -c alight -n __alight_no_verb -k -a deny -d 'Never use the environment of a folder'
complete -c alight -n __alight_no_verb -k -a allow -d 'Trust the environment of a folder'
complete -c alight -n __alight_no_verb -k -a why -d 'How the answer came about'
complete -c alight -n __alight_no_verb -k -a watch -d 'Environments and what happens to them, live'
complete -c alight -n __alight_no_verb -k -a check -d 'Where a command would install'
complete -c alight -n __alight_no_verb -k -a doctor -d 'What is wrong in a folder, in this shell, and with alight'
complete -c alight -n __alight_no_verb -k -a status -d 'Shell, daemon and folder in one look'

complete -c alight -n '__alight_verb env why doctor watch export allow deny trust exec' -a '(__fish_complete_directories)'
complete -c alight -n '__alight_verb status check doctor watch env envs why export config trust' -l json -d 'Print JSON'
complete -c alight -n '__alight_verb config' -l path -d 'Where config.toml is'
complete -c alight -n '__alight_verb trust' -l list -d 'List every decision'
complete -c alight -n '__alight_verb trust' -l revoke -x -d 'Forget a decision'
complete -c alight -n '__alight_verb init' -a 'zsh bash fish'
complete -c alight -n '__alight_verb check' -l shell -x -a 'bash zsh fish' -d 'Whose syntax a line has'
complete -c alight -n '__alight_verb check exec' -a -- -d 'The command follows'
complete -c alight -n __alight_after_dashes -a '(__alight_command)'
complete -c alight -n __alight_daemon_bare -a run -d 'Be the daemon, in the foreground'
complete -c alight -n __alight_daemon_bare -a start -d 'Start it in the background'
complete -c alight -n __alight_daemon_bare -a stop -d 'Stop it'
complete -c alight -n __alight_daemon_bare -a restart -d 'Stop and start it'
complete -c alight -n __alight_daemon_bare -a status -d 'Whether it answers'
complete -c alight -n __alight_daemon_bare -a logs -d 'The end of its log'
complete -c alight -n '__alight_daemon status' -l json -d 'Print JSON'
complete -c alight -n '__alight_daemon logs' -s n -x -d 'So many lines'
complete -c alight -n '__alight_daemon logs' -s f -l follow -d 'Go on with what is added'
