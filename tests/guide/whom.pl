# whom.pl: answers everybody who connects to TCP port 80 with the address it sees.
use strict;
use warnings;
use Socket qw(:all);

socket my $listening, AF_INET6, SOCK_STREAM, 0 or die "socket: $!"; # for both families
setsockopt $listening, SOL_SOCKET, SO_REUSEADDR, 1;
bind $listening, pack_sockaddr_in6(80, Socket::IN6ADDR_ANY) or die "bind: $!";
listen $listening, 16 or die "listen: $!";
while (my $from = accept my $connection, $listening) {
	my ($error, $address) = getnameinfo($from, NI_NUMERICHOST | NI_NUMERICSERV);
	$address =~ s/^::ffff://;
	print $connection "$address\n";
	close $connection;
}
