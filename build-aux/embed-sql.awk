# SPDX-License-Identifier: ISC
#
# embed-sql.awk: turns sql/*.sql into C, so that every SQL statement of the project stands in sql/.
#
#   awk -v part=header -f embed-sql.awk migration-001.sql ... rules.sql ... > sql_statements.h
#   awk -v part=source -f embed-sql.awk migration-001.sql ... rules.sql ... > sql_statements.c
#
# A file named migration-NNN.sql is one string, NNN counting from 1 without a gap. In any other file a
# statement begins with "-- name: xyz" and is called SQL_XYZ in C. A line "-- scan: why" after it allows its
# query plan to scan a table (tests/unit/test_statements.c). Plain POSIX awk: mawk, gawk and busybox do.

function fail(message)
{
	printf "%s:%d: %s\n", FILENAME, FNR, message > "/dev/stderr"
	failed = 1
	exit 1
}

FNR == 1 {
	is_migration = 0
	open_statement = 0
	base = FILENAME
	sub(/^.*\//, "", base)
	if (base ~ /^migration-[0-9][0-9][0-9]\.sql$/) {
		is_migration = 1
		n_migrations++
		if (substr(base, 11, 3) + 0 != n_migrations)
			fail("migrations must be given in order, without a gap")
	}
}

# A quote or a backslash would need escaping in C, which every awk does differently; SQL needs neither.
/["\\]/ { fail("no double quote and no backslash, please") }

is_migration {
	migration[n_migrations] = migration[n_migrations] "\t\"" $0 "\\n\"\n"
	next
}

/^-- name: / {
	name = $3
	if (name !~ /^[a-z][a-z0-9_]*$/)
		fail("a name is lower-case letters, digits and underscores")
	if (name in seen)
		fail("the name " name " is there twice")
	seen[name] = 1
	n++
	statement_name[n] = name
	open_statement = 1
	next
}

/^-- scan: / && open_statement {
	scan[n] = substr($0, 10)
	next
}

/^--/ || /^[ \t]*$/ { next }

!open_statement { fail("a statement without a \"-- name:\" line") }

{ statement[n] = statement[n] "\t\t\"" $0 "\\n\"\n" }

END {
	if (failed)
		exit 1
	print "/* Made from sql/ by build-aux/embed-sql.awk: change the .sql files instead. */"
	if (part == "header") {
		print "#ifndef PGPGATE_DB_SQL_STATEMENTS_H"
		print "#define PGPGATE_DB_SQL_STATEMENTS_H"
		print ""
		print "enum sql_statement {"
		for (i = 1; i <= n; i++)
			print "\tSQL_" toupper(statement_name[i]) ","
		print "\tSQL_STATEMENT_COUNT,"
		print "};"
		print ""
		print "struct sql_text {"
		print "\tconst char *name;"
		print "\tconst char *text;"
		print "\tconst char *scan; /* why it may scan a table, or a null pointer */"
		print "};"
		print ""
		print "#define SQL_MIGRATION_COUNT " n_migrations
		print ""
		print "extern const struct sql_text sql_statements[SQL_STATEMENT_COUNT];"
		print "extern const char *const sql_migrations[SQL_MIGRATION_COUNT]; /* [0] makes version 1 */"
		print ""
		print "#endif"
	} else {
		print "#include \"db/sql_statements.h\""
		print ""
		print "const struct sql_text sql_statements[SQL_STATEMENT_COUNT] = {"
		for (i = 1; i <= n; i++) {
			print "\t{ \"" statement_name[i] "\","
			printf "%s", statement[i]
			print "\t\t, " (i in scan ? "\"" scan[i] "\"" : "0") " },"
		}
		print "};"
		print ""
		print "const char *const sql_migrations[SQL_MIGRATION_COUNT] = {"
		for (i = 1; i <= n_migrations; i++)
			print migration[i] "\t,"
		print "};"
	}
}
