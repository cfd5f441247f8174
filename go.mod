module github.com/pealhq/peal

go 1.26
