# probe.pl NAME FOLDER PATIENCE: one host of the world that tests/engine/blocks.sh makes, while it is looked who reaches whom.
# It answers all who ask with its name and whom it sees, asks what the lines of FOLDER/plan have it ask, and prints
#
#	QUESTION<TAB>ANSWERER<SOURCE	or - when nobody answered within PATIENCE seconds
#
# A line of the plan is: question, who asks, source address or -, address, protocol, port, separated by blanks. Of the
# protocol mss not the answer counts but the size of segments that was agreed on. FOLDER/names has lines of address, name.
use strict;
use warnings;
use IO::Select;
use Socket qw(:all);
use Time::HiRes qw(time sleep);

my @hosts = qw(server world phone laptop lan);
my @tcp_ports = (22, 53, 80, 443, 8080, 8443);
my @udp_ports = (53, 27020);
my ($me, $folder, $patience) = @ARGV;

sub lines { open my $file, '<', "$folder/$_[0]" or die "$folder/$_[0]: $!"; map { [split] } <$file> }
my %names = map { @$_ } lines('names');

# socket_at DOMAIN TYPE: one that does not block.
sub socket_at {
	my ($domain, $type) = @_;
	socket my $socket, $domain, $type | SOCK_NONBLOCK, 0 or die "socket: $!";
	setsockopt $socket, SOL_SOCKET, SO_REUSEADDR, 1;
	$socket;
}
sub pack_address {
	my ($address, $port) = @_;
	$address =~ /:/ ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $address)) : pack_sockaddr_in($port, inet_aton($address));
}
sub domain { $_[0] =~ /:/ ? AF_INET6 : AF_INET }
sub name {
	my ($error, $address) = getnameinfo($_[0], NI_NUMERICHOST | NI_NUMERICSERV);
	$address =~ s/^::ffff://;
	$names{$address} // $address;
}
# All wait for all: nobody asks before everybody listens, and nobody leaves before everybody has been answered.
sub meet {
	my ($where, $meanwhile) = @_;
	open my $file, '>', "$folder/$where.$me" or die "$folder/$where.$me: $!";
	my $until = time + 20;
	while (grep { !-e "$folder/$where.$_" } @hosts) {
		die "not all hosts came to $where" if time > $until;
		$meanwhile->(0.01);
	}
}

my $listening = IO::Select->new;
my %udp;
for my $port (@tcp_ports) {
	my $socket = socket_at(AF_INET6, SOCK_STREAM); # for both families
	bind $socket, pack_sockaddr_in6($port, IN6ADDR_ANY) or die "bind $port: $!";
	listen $socket, 64;
	$listening->add($socket);
}
# an answer by UDP must come from the address that was asked
for my $address (map { m{inet6? ([^ /]+)} && $1 !~ /^fe80/ ? $1 : () } `ip -o addr`) {
	for my $port (@udp_ports) {
		my $socket = socket_at(domain($address), SOCK_DGRAM);
		bind $socket, pack_address($address, $port) or die "bind $address $port: $!";
		$listening->add($socket);
		$udp{fileno $socket} = 1;
	}
}
sub answer {
	for my $socket ($listening->can_read($_[0])) {
		if ($udp{fileno $socket}) {
			my $from = recv $socket, my $question, 100, 0;
			send $socket, "$me<" . name($from), 0, $from if $from;
		} elsif (my $from = accept my $connection, $socket) {
			syswrite $connection, "$me<" . name($from);
		}
	}
}

my @questions = grep { $_->[1] eq $me } lines('plan');
my %answers;
my %asked; # by file number: the socket, the question, whether it waits to be connected
sub ask {
	my ($question) = @_;
	my ($label, undef, $source, $address, $protocol, $port) = @$question;
	my $is_udp = $protocol eq 'udp';
	my $socket = socket_at(domain($address), $is_udp ? SOCK_DGRAM : SOCK_STREAM);
	bind $socket, pack_address($source, 0) or return if $source ne '-';
	return if !connect($socket, pack_address($address, $port)) && !$!{EINPROGRESS};
	send $socket, '?', 0 if $is_udp;
	$asked{fileno $socket} = [$socket, $question, !$is_udp];
}
sub hear {
	my ($asking) = @_;
	my ($socket, $question, $connecting) = @$asking;
	my ($label, $protocol) = @$question[0, 4];
	if ($connecting) {
		my $error = unpack 'i', getsockopt $socket, SOL_SOCKET, SO_ERROR;
		return delete $asked{fileno $socket} if $error;
		$asking->[2] = 0;
	}
	my $length = sysread $socket, my $said, 100;
	return if !defined $length && $!{EAGAIN};
	if ($length) {
		$said = unpack 'i', getsockopt $socket, IPPROTO_TCP, 2 if $protocol eq 'mss'; # TCP_MAXSEG
		$answers{$label} //= $said;
	}
	delete $asked{fileno $socket};
}
use Errno;
my ($start, $rounds) = (0, 0);
meet('listen', \&answer);
$start = time;
while (time < $start + $patience && grep { !defined $answers{$_->[0]} } @questions) {
	# a second time, in case that what came first met a host that was not ready
	if (time >= $start + $rounds * $patience / 2) {
		$rounds++;
		ask($_) for grep { !defined $answers{$_->[0]} } @questions;
	}
	answer(0);
	my ($reading, $writing) = ('', '');
	vec($_->[2] ? $writing : $reading, fileno $_->[0], 1) = 1 for values %asked;
	vec($reading, fileno $_, 1) = 1 for $listening->handles;
	select $reading, $writing, undef, 0.02;
	for my $number (keys %asked) {
		hear($asked{$number}) if vec($reading, $number, 1) || vec($writing, $number, 1);
	}
}
meet('leave', \&answer);
print "$_->[0]\t", $answers{$_->[0]} // '-', "\n" for @questions;
