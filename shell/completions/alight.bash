# shellcheck shell=bash
# Completion of `alight` for bash >= 4.4. Names from disk are completed by bash itself, so that none can break a line.

__alight_offer() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

__alight_complete() {
    local verb='' dashes=0 index
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        case ${COMP_WORDS[index]} in
            --) dashes=$index; break ;;
            -*) ;;
            *) [[ -n $verb ]] || verb=${COMP_WORDS[index]} ;;
        esac
    done

    if ((dashes)); then
        [[ $verb == @(exec|check) ]] || return 0
        if ((COMP_CWORD == dashes + 1)); then
            mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
        else
            compopt -o default
        fi
        return 0
    fi

    local options='--help'
    case $verb in
        '')
            __alight_offer 'status why check doctor watch allow deny on off pause env envs exec export init trust config daemon
                --help --version'
            return 0
            ;;
        init)
            __alight_offer 'zsh bash fish --help'
            return 0
            ;;
        daemon)
            case " ${COMP_WORDS[*]:1:COMP_CWORD-1} " in
                *' logs '*) options='-n --follow --help' ;;
                *' status '*) options='--json --help' ;;
                *' run '* | *' start '* | *' stop '* | *' restart '*) ;;
                *) options='run start stop restart status logs --help' ;;
            esac
            __alight_offer "$options"
            return 0
            ;;
        env | why | doctor | export | watch) options='--json --help' ;;
        status | envs)
            __alight_offer '--json --help'
            return 0
            ;;
        config)
            __alight_offer '--path --json --help'
            return 0
            ;;
        on | off | pause)
            __alight_offer '--help'
            return 0
            ;;
        trust)
            [[ ${COMP_WORDS[COMP_CWORD - 1]} != --revoke ]] || return 0
            options='--list --revoke --json --help'
            ;;
        exec) options='-- --help' ;;
        check)
            if [[ ${COMP_WORDS[COMP_CWORD - 1]} == --shell ]]; then
                __alight_offer 'bash zsh fish'
            else
                __alight_offer '-- --json --shell --help'
            fi
            return 0
            ;;
        allow | deny) ;;
        *) return 0 ;;
    esac
    if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        __alight_offer "$options"
    else
        compopt -o dirnames
    fi
}

complete -F __alight_complete alight
