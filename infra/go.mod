module plumbline/infra

go 1.26.0


replace plumbline => ../
