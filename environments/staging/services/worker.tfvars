disposable = true
