# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wgq_global_optspecs
    string join \n dry-run json q/quiet v/verbose color= h/help V/version
end

function __fish_wgq_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wgq_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wgq_using_subcommand
    set -l cmd (__fish_wgq_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wgq -n "__fish_wgq_needs_command" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_needs_command" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_needs_command" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_needs_command" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_needs_command" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_needs_command" -s V -l version -d 'Print version'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "up" -d 'Bring an interface up'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "down" -d 'Take an interface down, and all that came with it'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "apply" -d 'Have an interface follow its file, without dropping a session'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "confirm" -d 'Keep what `apply --confirm` has changed'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "diff" -d 'Show what an interface lacks to be what its file says'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "show" -d 'Show what runs, and how it goes'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "strip" -d 'Print what of a file is for `wg setconf`'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "save" -d 'Write the peers and keys of a running interface into its file'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "reresolve" -d 'Look up again where peers are that do not answer'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "migrate" -d 'Turn the hooks of a file into keys'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "init" -d 'Make the file of a new server'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "peer" -d 'Add, show, change and remove the peers of an interface'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "endpoint" -d 'Show or change where clients connect to'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "genkey" -d 'Print a new private key'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "genpsk" -d 'Print a new preshared key'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "pubkey" -d 'Print the public key of the private key on standard input'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "import" -d 'Put a config from elsewhere in /etc/wireguard'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "export" -d 'Print a file for wg-quick, with hooks in the place of our keys'
complete -c wgq -n "__fish_wgq_needs_command" -f -a "selftest" -d 'See what this host supports, and whether wgq works on it'
complete -c wgq -n "__fish_wgq_using_subcommand up" -l name -d 'The interface\'s name, for a file from standard input' -r -f
complete -c wgq -n "__fish_wgq_using_subcommand up" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand up" -l ignore-unresolved -d 'Leave peers whose endpoint has no known address without one, and go on'
complete -c wgq -n "__fish_wgq_using_subcommand up" -l userspace -d 'Use the embedded WireGuard even if the kernel has its own'
complete -c wgq -n "__fish_wgq_using_subcommand up" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand up" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand up" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand up" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand up" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand down" -l name -d 'The interface\'s name, for a file from standard input' -r -f
complete -c wgq -n "__fish_wgq_using_subcommand down" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand down" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand down" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand down" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand down" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand down" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand apply" -l name -d 'The interface\'s name, for a file from standard input' -r -f
complete -c wgq -n "__fish_wgq_using_subcommand apply" -l confirm -d 'Undo it all unless `wgq confirm` comes within that time: 60s, 2m' -r
complete -c wgq -n "__fish_wgq_using_subcommand apply" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand apply" -l keep-peers -d 'Keep the peers that the file does not name, such as those that `wg set` added'
complete -c wgq -n "__fish_wgq_using_subcommand apply" -l hooks -d 'Run the hooks: first those that undo what the old ones did, then the file\'s own'
complete -c wgq -n "__fish_wgq_using_subcommand apply" -l ignore-unresolved -d 'Leave peers whose endpoint has no known address without one, and go on'
complete -c wgq -n "__fish_wgq_using_subcommand apply" -l userspace -d 'Use the embedded WireGuard for an interface that is not there'
complete -c wgq -n "__fish_wgq_using_subcommand apply" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand apply" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand apply" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand apply" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand confirm" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand confirm" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand confirm" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand confirm" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand confirm" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand confirm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand diff" -l name -d 'The interface\'s name, for a file from standard input' -r -f
complete -c wgq -n "__fish_wgq_using_subcommand diff" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand diff" -l keep-peers -d 'Do not count the peers that the file does not name'
complete -c wgq -n "__fish_wgq_using_subcommand diff" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand diff" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand diff" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand diff" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand show" -l watch -d 'Show a live table with rates, anew every second or every so many; q or Ctrl-C ends it' -r
complete -c wgq -n "__fish_wgq_using_subcommand show" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand show" -l prometheus -d 'Print the metrics of Prometheus, as text'
complete -c wgq -n "__fish_wgq_using_subcommand show" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand show" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand show" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand show" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand strip" -l name -d 'The interface\'s name, for a file from standard input' -r -f
complete -c wgq -n "__fish_wgq_using_subcommand strip" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand strip" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand strip" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand strip" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand strip" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand strip" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand save" -l name -d 'The interface\'s name, for a file from standard input' -r -f
complete -c wgq -n "__fish_wgq_using_subcommand save" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand save" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand save" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand save" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand save" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand save" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand reresolve" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand reresolve" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand reresolve" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand reresolve" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand reresolve" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand reresolve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand migrate" -l name -d 'The interface\'s name, for a file from standard input' -r -f
complete -c wgq -n "__fish_wgq_using_subcommand migrate" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand migrate" -l write -d 'Change the file, and keep it as it was in NAME.conf.before-migrate'
complete -c wgq -n "__fish_wgq_using_subcommand migrate" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand migrate" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand migrate" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand migrate" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand migrate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand init" -l endpoint -d 'Where clients connect to: this host\'s public address or name, or a relay' -r
complete -c wgq -n "__fish_wgq_using_subcommand init" -l subnet -d 'The tunnel\'s network, IPv4 or IPv6; given twice, one of each' -r
complete -c wgq -n "__fish_wgq_using_subcommand init" -l port -d 'The UDP port; the default is 51820, or the next that is free' -r
complete -c wgq -n "__fish_wgq_using_subcommand init" -l dns -d 'The resolvers and search domains of clients; `none` leaves them with their own' -r
complete -c wgq -n "__fish_wgq_using_subcommand init" -l uplink -d 'The interface that clients go out by; the default is any' -r
complete -c wgq -n "__fish_wgq_using_subcommand init" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand init" -l no-ipv6 -d 'Leave IPv6 out'
complete -c wgq -n "__fish_wgq_using_subcommand init" -l up -d 'Bring the interface up too: now, and at every boot where the systemd units are installed'
complete -c wgq -n "__fish_wgq_using_subcommand init" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand init" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand init" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand init" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -s i -l interface -d 'The interface, by NAME or FILE; without, it is the only one there is, or wg0' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -f -a "add" -d 'Add a client: its keys, the next free addresses, and the config that it needs'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -f -a "list" -d 'List the peers'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -f -a "show" -d 'Print the config of a client'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -f -a "qr" -d 'Show the config of a client as a QR code'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -f -a "rename" -d 'Give a peer another name'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -f -a "remove" -d 'Remove a peer, at once'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -f -a "disable" -d 'Shut a peer out, at once, and keep all that is known of it'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -f -a "enable" -d 'Let a peer in again that was disabled'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and not __fish_seen_subcommand_from add list show qr rename remove disable enable rekey" -f -a "rekey" -d 'Give a client new keys; the old ones are no good from then on'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l route -d 'A network behind the server that the client reaches through the tunnel, with --split' -r
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l allowed-ips -d 'A network behind the client, for a site rather than a phone' -r
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l dns -d 'The client\'s resolvers and search domains; `none` leaves it with its own' -r
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l mtu -d 'The client\'s MTU, in bytes' -r
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l keepalive -d 'Have the client send something that often, so that it can be reached behind NAT; 25 is usual' -r
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l endpoint -d 'Where the client is to connect to, if that is not what the file says' -r
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l public-key -d 'The client\'s public key, if it has made its own: the private one never comes here' -r
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l expires -d 'Shut the client out after that time, or from then on: 30d, 2026-12-24, 2026-12-24T18:00:00Z' -r
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l png -d 'As a QR code in a PNG file' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l svg -d 'As a QR code in an SVG file' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -s i -l interface -d 'The interface, by NAME or FILE; without, it is the only one there is, or wg0' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l full -d 'Send all of the client\'s traffic through the tunnel; this is the default'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l split -d 'Send only what is for the tunnel\'s own networks through it, and for those of --route'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l no-store -d 'Do not keep the client\'s config'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l qr -d 'As a QR code of text; this is the default on a terminal'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from list" -s i -l interface -d 'The interface, by NAME or FILE; without, it is the only one there is, or wg0' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from list" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from list" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from list" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from show" -s i -l interface -d 'The interface, by NAME or FILE; without, it is the only one there is, or wg0' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from show" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from show" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from show" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from qr" -l png -d 'As a QR code in a PNG file' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from qr" -l svg -d 'As a QR code in an SVG file' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from qr" -s i -l interface -d 'The interface, by NAME or FILE; without, it is the only one there is, or wg0' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from qr" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from qr" -l qr -d 'As a QR code of text; this is the default on a terminal'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from qr" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from qr" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from qr" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from qr" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from qr" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rename" -s i -l interface -d 'The interface, by NAME or FILE; without, it is the only one there is, or wg0' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rename" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rename" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rename" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rename" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rename" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from remove" -s i -l interface -d 'The interface, by NAME or FILE; without, it is the only one there is, or wg0' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from remove" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from remove" -l expired -d 'Remove all whose time is over'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from remove" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from remove" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from disable" -s i -l interface -d 'The interface, by NAME or FILE; without, it is the only one there is, or wg0' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from disable" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from disable" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from disable" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from disable" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from disable" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from disable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from enable" -s i -l interface -d 'The interface, by NAME or FILE; without, it is the only one there is, or wg0' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from enable" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from enable" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from enable" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from enable" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from enable" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from enable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rekey" -l png -d 'As a QR code in a PNG file' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rekey" -l svg -d 'As a QR code in an SVG file' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rekey" -s i -l interface -d 'The interface, by NAME or FILE; without, it is the only one there is, or wg0' -r -F
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rekey" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rekey" -l qr -d 'As a QR code of text; this is the default on a terminal'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rekey" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rekey" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rekey" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rekey" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand peer; and __fish_seen_subcommand_from rekey" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand endpoint" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand endpoint" -l qr -d 'Show the new config of each client as a QR code'
complete -c wgq -n "__fish_wgq_using_subcommand endpoint" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand endpoint" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand endpoint" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand endpoint" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand endpoint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand genkey" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand genkey" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand genkey" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand genkey" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand genkey" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand genkey" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand genpsk" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand genpsk" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand genpsk" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand genpsk" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand genpsk" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand genpsk" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand pubkey" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand pubkey" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand pubkey" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand pubkey" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand pubkey" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand pubkey" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand import" -l name -d 'The interface\'s name, if the file\'s is not to be it' -r -f
complete -c wgq -n "__fish_wgq_using_subcommand import" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand import" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand import" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand import" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand import" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand export" -l name -d 'The interface\'s name, for a file from standard input' -r -f
complete -c wgq -n "__fish_wgq_using_subcommand export" -l format -d 'Whom the file is for' -r -f -a "wg-quick\t'wg-quick(8)'"
complete -c wgq -n "__fish_wgq_using_subcommand export" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand export" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand export" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand export" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand export" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wgq -n "__fish_wgq_using_subcommand selftest" -l color -d 'When to use colours; `NO_COLOR` is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c wgq -n "__fish_wgq_using_subcommand selftest" -l dry-run -d 'Show the steps and change nothing'
complete -c wgq -n "__fish_wgq_using_subcommand selftest" -l json -d 'Print JSON: the steps of --dry-run and of `diff`, or what the command prints'
complete -c wgq -n "__fish_wgq_using_subcommand selftest" -s q -l quiet -d 'Say nothing but warnings and errors'
complete -c wgq -n "__fish_wgq_using_subcommand selftest" -s v -l verbose -d 'Show every step in full, with what the kernel says'
complete -c wgq -n "__fish_wgq_using_subcommand selftest" -s h -l help -d 'Print help (see more with \'--help\')'

# Prints the interfaces that could be meant after the command on the line: those with a file, and those that are up.
function __wgq_interfaces
    if not __fish_seen_subcommand_from save reresolve
        for path in /etc/wireguard/*.conf
            string replace -r '.*/(.*)\.conf$' '$1' -- $path
        end
    end
    if not __fish_seen_subcommand_from up strip migrate export
        for path in /run/wgq/*.json
            string replace -r '.*/(.*)\.json$' '$1' -- $path
        end
        for path in (grep -ls '^DEVTYPE=wireguard$' /sys/class/net/*/uevent)
            string replace -r '.*/(.*)/uevent$' '$1' -- $path
        end
    end
end

complete -c wgq -n "__fish_seen_subcommand_from up down apply diff strip save reresolve migrate export" -a "(__wgq_interfaces)"
