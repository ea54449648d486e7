// An application that does not load.
throw new Error('no\u001b[31m database')
